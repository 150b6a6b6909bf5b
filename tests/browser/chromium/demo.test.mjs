import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { Stage, until } from '../lib/stage.mjs';
import { DEMO } from '../../../scripts/lib/paths.mjs';
import { place } from '../../../scripts/lib/site.mjs';

test('the page plays, shows a second viewer fed by the first, and stops sharing within a second', async (t) => {
  const { open } = await demo(t);
  const first = await open();
  await playsTo(first, 4);
  assert.match(await text(first, '#verdict'), /all of it checked, nothing rejected/);

  const second = await open();
  await playsTo(second, 8);
  await until(
    'seeing bytes from the other viewer',
    () => text(second, '#share-figure'),
    (figure) => parseInt(figure, 10) > 0,
  );
  assert.match(await text(second, '#viewers'), /connected/);
  assert.match(await text(second, '#journal'), /is connected and has proved its ticket/);
  await until(
    'seeing bytes given',
    () => text(first, '#total-given'),
    (given) => parseInt(given, 10) > 0,
  );

  const off = await first.evaluate(switchOff);
  assert.ok(off.tookMs <= 1000, `off after ${off.tookMs} ms`);
  await until(
    'reading so',
    () => text(first, '#journal'),
    (lines) => /Sharing is off/.test(lines),
  );
  const before = await given(first);
  const from = await position(first);
  await playsTo(first, from + 4);
  assert.equal(await given(first), before, 'bytes given after the switch');
  await until(
    'the other one noticing',
    () => text(second, '#viewers'),
    (rows) => /Nobody yet/.test(rows),
  );
});

test('the page asks first when told to, and shares once answered', async (t) => {
  const { open } = await demo(t);
  const one = await open('?share=ask');
  await playsTo(one, 2);
  assert.ok(await one.isVisible('#consent'));
  assert.equal(await one.getAttribute('#switch', 'aria-checked'), 'false');
  await one.click('#consent-yes');
  await one.waitForSelector('#consent', { state: 'hidden', timeout: 1000 });
  const other = await open();
  await until(
    'meeting',
    () => text(other, '#viewers'),
    (rows) => /connected/.test(rows),
  );
});

test('the page is usable by keyboard alone, and every stop shows its focus', async (t) => {
  const { open } = await demo(t);
  const page = await open();
  await playsTo(page, 2);
  const stops = await tabThrough(page);
  for (const id of ['theme', 'second', 'video', 'strip', 'rendition', 'switch', 'journal']) {
    assert.ok(
      stops.some((stop) => stop.id === id),
      `${id} is not reached by Tab`,
    );
  }
  assert.deepEqual(
    stops.filter(({ outlined, id }) => !outlined && id !== 'video'),
    [],
  );
  await page.focus('#strip');
  const before = await page.getAttribute('#strip', 'aria-valuetext');
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await page.getAttribute('#strip', 'aria-valuetext'), before);
  await page.focus('#switch');
  await page.keyboard.press('Space');
  await until(
    'switching off by keyboard',
    () => page.getAttribute('#switch', 'aria-checked'),
    (checked) => checked === 'false',
  );
});

test('the page of a live stream says how far behind it is, and who fetched what is new', async (t) => {
  const { open, stage } = await demo(t, { live: {} });
  const [one, other] = [await open(), await open()];
  await until(
    'playing live',
    () => text(one, '#live'),
    (line) => /Live\s+\d+\.\d\ss behind the live edge/.test(line),
  );
  await until(
    'seeing segments that another viewer fetched',
    () => text(other, '#live-fetched'),
    (line) => /Of the last \d+ segments, this viewer fetched \d+ from the origin; [1-9]\d* came/.test(line),
  );
  assert.ok(await one.isHidden('#live-edge'));
  await one.evaluate(() => document.querySelector('#video').pause());
  await one.evaluate(() => (document.querySelector('#video').currentTime -= 20));
  await one.waitForSelector('#live-edge', { state: 'visible', timeout: 10_000 });
  await one.click('#live-edge');
  await one.waitForSelector('#live-edge', { state: 'hidden', timeout: 10_000 });
  assert.equal(await one.evaluate(() => document.querySelector('#video').paused), false);
  await stage.live.end();
  await until(
    'seeing the end',
    () => text(other, '#live-state'),
    (state) => state === 'Ended',
  );
  assert.match(await text(other, '#journal'), /has signed the end of the stream/);
});

/** The built page beside the sample, or a live stream; `open` fails the test on an error in the page's console. */
async function demo(t, { live } = {}) {
  const stage = await Stage.open(t, { stream: 'sample', live });
  await place(DEMO, stage.site);
  const configuration = {
    title: 'A day over the lake',
    manifest: 'content/content.seal',
    content: stage.manifest.content,
    tracker: stage.trackerUrl,
    trust: [stage.keys.publisher.publicKey],
    trackerKeys: [stage.keys.tracker.publicKey],
    playlist: `content/${stage.playlist}`,
    live: live !== undefined,
  };
  await writeFile(path.join(stage.site, 'demo.json'), JSON.stringify(configuration));
  const complaints = [];
  t.after(() => assert.deepEqual(complaints, []));
  return {
    stage,
    async open(query = '') {
      const { page } = await stage.page(`${stage.url}/index.html${query}`);
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      return page;
    },
  };
}

function playsTo(page, seconds) {
  return until(
    `playing to ${seconds} s`,
    () => position(page),
    (at) => at >= seconds,
    40_000,
  );
}

function position(page) {
  return page.evaluate(() => document.querySelector('#video').currentTime);
}

function text(page, selector) {
  return page.innerText(selector);
}

function given(page) {
  return page.evaluate(async () => (await window.swarmsealDemo.peer.stats()).traffic.toPeers);
}

/** In the page: presses the switch and waits until there is no connection left. */
async function switchOff() {
  const from = performance.now();
  document.querySelector('#switch').click();
  for (;;) {
    const { peers, connections } = await window.swarmsealDemo.peer.stats();
    const tookMs = performance.now() - from;
    if ((peers.length === 0 && connections.length === 0) || tookMs > 5000) return { tookMs };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function tabThrough(page) {
  const stops = [];
  for (let press = 0; press < 40; press += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const here = document.activeElement;
      // A radio button is drawn by the label's text beside it.
      const drawn = here.matches('input[type=radio]') ? here.nextElementSibling : here;
      return {
        id: here.id || here.value || here.className,
        outlined: window.getComputedStyle(drawn).outlineStyle !== 'none',
        body: here === document.body,
      };
    });
    if (stop.body) break;
    stops.push(stop);
  }
  return stops;
}
