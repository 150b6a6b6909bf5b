// The page shows what the files hold: nothing is left out that speaks against us, and nothing is put in.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resultsPage } from './page.mjs';
import { summarise } from '../../../bench/lib/statistics.mjs';

const FIGURES = [
  { key: 'introductionsPerCpuS', title: 'introductions per CPU second', digits: 0, better: 'more' },
  { key: 'mib', title: 'MiB <all>', digits: 1, better: 'less' },
];
const MACHINE = {
  cores: 2,
  cpu: 'a processor',
  memoryGiB: 4,
  system: 'a system',
  node: 'v1',
  rivals: { other: '1.2.3' },
  at: '2026-01-01',
};

test('medians and spread are those of the rounds, and a ratio is within a round', () => {
  const page = measured({ swarmseal: [3000, 1000, 2500], 'bittorrent-tracker': [1000, 1000, 1000] });
  assert.match(page, /<b>2,500<\/b>\s*<small>1,000 – 3,000<\/small>/);
  assert.match(page, /swarmseal ×2\.50/);
  assert.match(page, /1 goals reached, 0 missed/);
  assert.equal(page.match(/class="dot"/g).length, 6);
});

test('a goal that is missed leads the page and stands with its measurement', () => {
  const page = measured({ swarmseal: [1000, 1900, 1900], 'bittorrent-tracker': [1000, 1000, 1000] });
  assert.match(page, /0 goals reached, 1 missed/);
  assert.equal(page.match(/class="misses"/g).length, 2);
  assert.match(page, /<td>1\.90<\/td>\s*<td>≥ 2<\/td>\s*<td>missed<\/td>/);
});

test('a goal that is missed by less than is shown is shown to be missed', () => {
  const page = measured({ swarmseal: [1999], 'bittorrent-tracker': [1000] });
  assert.match(page, /<td>1\.9990<\/td>\s*<td>≥ 2<\/td>\s*<td>missed<\/td>/);
});

test('whoever fails is told of with what happened, us included, and its rounds look different', () => {
  for (const name of ['swarmseal', 'bittorrent-tracker']) {
    const page = measured(
      { swarmseal: [3, 4, 5], 'bittorrent-tracker': [1, 2, 3] },
      { [name]: 'it stood <still>' },
    );
    assert.match(page, new RegExp(`${name} failed in 1 of 3 rounds`));
    assert.match(page, /<li>it stood &lt;still&gt;<\/li>/);
    assert.equal(page.match(/class="cross"/g).length, 1);
    assert.equal(page.match(/class="dot"/g).length, 5);
  }
});

test('a goal that nobody has measured is not passed over', () => {
  assert.match(measured({ swarmseal: [1, 2, 3] }), /No measurement is kept of [^<]*file-1/);
});

test('scales begin at zero, so that a small lead looks small', () => {
  const page = measured({ swarmseal: [100, 100, 100], 'bittorrent-tracker': [99, 99, 99] });
  const at = [...page.matchAll(/class="median" x1="([\d.]+)%"/g)].map(([, x]) => Number(x));
  assert.deepEqual(at, [98, 97.04]);
});

test('text from a file is text on the page', () => {
  const page = measured({ 'swarm<script>': [1, 2, 3] });
  assert.match(page, /swarm&lt;script&gt;/);
  assert.doesNotMatch(page, /<script/);
});

test('another figure is another page, and a file of no known kind is refused', () => {
  const one = measured({ swarmseal: [1, 2, 3] });
  assert.notEqual(one, measured({ swarmseal: [1, 2, 4] }));
  assert.equal(one, measured({ swarmseal: [1, 2, 3] }));
  const old = { scenarios: { 'tracker-idle': { title: 'x', summary: [], results: [] } }, machine: MACHINE };
  assert.throws(() => resultsPage([{ name: 'x.json', json: old }]), /before figures were kept/);
});

/** The page of one file, with so many introductions in each round; who is in `failing` fails in its first one. */
function measured(contenders, failing = {}) {
  const results = Object.entries(contenders).flatMap(([contender, values]) =>
    values.map((introductionsPerCpuS, n) => ({
      round: n + 1,
      contender,
      load: 0.5,
      swarmseal: 'abc',
      figures: { introductionsPerCpuS },
      ...(n === 0 && contender in failing ? { failure: failing[contender] } : {}),
    })),
  );
  const scenario = {
    title: 'a load',
    subject: 'swarmseal',
    figures: FIGURES,
    summary: summarise(results, FIGURES, 'swarmseal'),
    results,
  };
  const json = { machine: MACHINE, scenarios: { 'tracker-introductions': scenario } };
  return resultsPage([{ name: 'tracker-introductions.json', json }]);
}
