// TR 33.844 §4.4: a page that runs the shipped bundle signs its junk with its own key. Its first victim, a real browser,
// hands the proof to the tracker, and nothing else is needed to put the sender out.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Stage, findsPeers, outplays, until } from '../lib/stage.mjs';
import { FULL, conclude } from '../lib/report.mjs';
import { blames } from '../lib/culprit.mjs';

describe('4.4', { concurrency: 2 }, () => {
  for (const browser of FULL ? ['chromium', 'firefox'] : ['chromium']) {
    test(`4.4: a page that signs its junk is put out by its first victim in ${browser}, and by nothing else`, async (t) => {
      const stage = await Stage.open(t);
      const { culprit, handle, victim, blamed } = await blames(stage, {
        worker: '/viewer/worker.js?perjure',
        prepare: countPerjuries,
        browser,
      });
      // The attack took place, by the attacker's own count: junk went out under a name.
      const done = await culprit.evaluate(() => window.__perjuries);
      assert.equal(done.failed, null);
      assert.ok(done.statements > 0 && done.chunks > 0, JSON.stringify(done));
      assert.deepEqual([blamed.handle, blamed.code], [handle, 'statement_contradicts']);

      const counts = await until('a proof that is taken', () => counters(stage), proven);
      const out = await until('being put out', () => culprit.metrics(), isOut).then(() => true);
      // Somebody who comes now is led to the victim, and never to the culprit.
      const late = await stage.viewer({}, browser);
      await findsPeers(late);
      const after = FULL ? await outplays(victim, await victim.metrics()) : await victim.metrics();
      const { bytes, wrong } = await stage.check(victim);
      const met = (await late.events('peer-connected')).map((event) => event.handle);
      await conclude({
        threat: '7',
        attack: `a page signs its junk with its own key, and sends it to ${browser}`,
        attempts: done.statements,
        successes: wrong.length + Number(!out) + met.filter((other) => other === handle).length,
        figure: `${done.chunks} chunks of junk sent; ${counts.get('swarmseal_proofs_total')} proof, and the sender is out; ${bytes} bytes played`,
        target: 'out by proof alone, 0 unverified bytes',
      });
      assert.ok(bytes > 0 && met.length > 0);
      assert.equal(after.stats.tracker, 'joined', 'who brings a proof stays');
      assert.ok(isOut(await culprit.metrics()), 'who was proven to lie does not come back');
    });
  }
});

function countPerjuries(culprit) {
  return culprit.evaluate(() => {
    window.__perjuries = { statements: 0, chunks: 0, failed: null };
    window.__channel = new BroadcastChannel('perjuries');
    window.__channel.onmessage = ({ data }) => (window.__perjuries = data);
  });
}

const proven = (counts) => counts.get('swarmseal_proofs_total') === 1;
const isOut = ({ stats }) => stats.tracker !== 'joined';

/** The tracker's counters by name. */
async function counters(stage) {
  const text = await (await fetch(new URL('/metrics', stage.url))).text();
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(' '))
      .map(([name, count]) => [name, Number(count)]),
  );
}
