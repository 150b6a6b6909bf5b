// TR 33.844 §4.1, in a browser: twelve kinds of identity lie where a page really has them, in its own address, in cookies, in
// tokens, in the browser's own words about itself and in what it asks for; then everything is searched that a viewer lets out
// or leaves behind. What a page says to its own origin, and the page's own address, are its own business.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { FULL, conclude } from '../lib/report.mjs';
import { Needles, canaries, forms } from '../lib/needles.mjs';
import { SignallingRelay } from '../lib/signalling-relay.mjs';
import { SigningKey, swarmOf } from '../lib/membership.mjs';
import { Stage, findsPeers, goesAhead, playsTo, until } from '../lib/stage.mjs';

const BROWSERS = FULL ? ['chromium', 'firefox'] : ['chromium'];
// Of a message with media in it, its head is what the viewer says; the rest is the publisher's.
const SEARCHED_OF_DATA = 64;

describe('4.1', { concurrency: 2 }, () => {
  for (const browser of BROWSERS) {
    test(`4.1: in ${browser}, nothing that a viewer says, keeps or reports names anybody`, async (t) => {
      const identities = await canaries();
      const stage = await Stage.open(t, { ownTracker: true });
      const relay = await SignallingRelay.start(t, {
        tracker: stage.trackerUrl,
        swarm: swarmOf(await readFile(path.join(stage.folder, 'content.seal'))).swarm,
        trackerKey: SigningKey.ofFile(await readFile(stage.keys.tracker.file, 'utf8')),
      });
      const toTracker = [];
      const all = identities.map(({ text }) => text).join(' ');
      const open = async (number) => {
        relay.lieTo(number, {
          said: (_, message) => {
            toTracker.push(JSON.stringify(message));
            return [message];
          },
        });
        const viewer = await stage.viewer(
          { worker: '/viewer/worker.js?listen', tracker: relay.trackerFor(number), token: all, account: all },
          browser,
        );
        await viewer.evaluate(plant, {
          identities: identities.map(({ text }) => text),
          most: SEARCHED_OF_DATA,
        });
        return viewer;
      };
      const first = await open(0);
      await goesAhead(first, 8);
      const second = await open(1);
      await findsPeers(second);
      await playsTo(second, 6);

      const surfaces = new Map([['messages to the tracker', toTracker.join('\n')]]);
      for (const [n, viewer] of [first, second].entries()) {
        await viewer.evaluate(
          ask,
          identities.map(({ text }) => text),
        );
        await until('what is not listed being refused', () =>
          viewer.evaluate((all) => window.__refused.length === all, identities.length),
        );
        for (const [name, text] of Object.entries(await viewer.evaluate(left))) {
          surfaces.set(`${name} of viewer ${n}`, text);
        }
      }
      const asked = (await stage.requests()).map((entry) => entry.path).join('\n');
      surfaces.set('paths asked of the origin', asked);

      const needles = new Needles();
      for (const { kind, text } of identities) needles.add(kind, Buffer.from(text));
      let [searched, hits] = [0, []];
      for (const [name, text] of surfaces) {
        const surface = Buffer.from(text, 'latin1');
        assert.ok(surface.length > 0, `${name}: there is something to search`);
        // First a leak of each kind in each form, in the middle of this very surface.
        const middle = surface.length >> 1;
        const leaks = identities.flatMap(({ text: identity }) => forms(Buffer.from(identity)));
        const leaking = [
          surface.subarray(0, middle),
          ...leaks.map(([, bytes]) => bytes),
          surface.subarray(middle),
        ];
        const found = needles.find(Buffer.concat(leaking));
        for (const { kind, text: identity } of identities) {
          for (const [form] of forms(Buffer.from(identity))) {
            assert.ok(found.has(`${kind}: ${form}`), `${name}: a leak of ${kind}, ${form}, is found`);
          }
        }
        searched += surface.length;
        hits = [...hits, ...[...needles.find(surface).keys()].map((hit) => `${hit} in ${name}`)];
      }
      await conclude({
        threat: '13',
        attack: `twelve kinds of identity in a page, its cookies, tokens and requests, in ${browser}`,
        attempts: identities.length * surfaces.size,
        successes: hits.length,
        figure: `${searched} bytes of ${surfaces.size} surfaces (${[...surfaces.keys()].join(', ')}) searched; found: ${hits.join(', ') || 'nothing'}; each leak made on purpose is found`,
        target: '0 hits',
      });
    });
  }
});

/** In the page: puts identities where a page has them, and listens to what is said to peers. */
function plant({ identities, most }) {
  identities.forEach((text, n) => {
    document.cookie = `canary${n}=${encodeURIComponent(text)}; path=/`;
  });
  document.title = identities.join(' ');
  window.__toPeers = [];
  const note = (label, bytes) => window.__toPeers.push(label === 'data' ? bytes.slice(0, most) : bytes);
  new BroadcastChannel('worker-faults').onmessage = ({ data: { label, bytes } }) => note(label, bytes);
  // Where channels stay with the page, because the browser cannot transfer them.
  const { send } = window.RTCDataChannel.prototype;
  window.RTCDataChannel.prototype.send = function (data) {
    const bytes = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
    note(this.label, bytes.slice());
    return send.call(this, data);
  };
}

/** In the page: asks for what is not listed, with identities in its name and its query. */
function ask(identities) {
  window.__refused = [];
  for (const text of identities) {
    const url = new URL(
      `/content/${encodeURIComponent(text)}.m4s?account=${encodeURIComponent(text)}`,
      location.href,
    );
    window.__viewer.peer.load(url.href).then(
      () => {},
      (error) => window.__refused.push(`${error.code}: ${error.message}`),
    );
  }
}

/** In the page: everything that is there to be searched, one character for a byte. */
async function left() {
  const text = (value) => unescape(encodeURIComponent(JSON.stringify(value) ?? ''));
  const databases = (await window.indexedDB.databases?.()) ?? [];
  const rows = await Promise.all(
    databases.map(async ({ name }) => {
      const database = await new Promise((resolve, reject) => {
        const request = window.indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      return [name, [...database.objectStoreNames]];
    }),
  );
  const stores = {
    local: { ...window.localStorage },
    session: { ...window.sessionStorage },
    rows,
    caches: await window.caches.keys(),
  };
  const { events, errors, candidates } = window.__viewer.record;
  return {
    'messages to peers': window.__toPeers.map((bytes) => String.fromCharCode(...bytes)).join('\n'),
    stores: text(stores),
    'events and errors': text({ events, errors }),
    'errors for what is not listed': text(window.__refused),
    statistics: text(await window.__viewer.peer.stats()),
    'candidates given to the browser': text(candidates),
  };
}
