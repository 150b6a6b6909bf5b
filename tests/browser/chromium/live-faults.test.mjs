import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { Stage, findsPeers, playsTo, stalls, until } from '../lib/stage.mjs';
import { media } from '../lib/media.mjs';
import { originFault } from '../../../scripts/lib/origin-faults.mjs';

const CUT = 6;
const OVER_MS = 40_000;
const AFTERWARDS_MS = 6_000;

test('the origin cuts the response for one segment after the other: nobody who watches live stalls', async (t) => {
  const fault = await originFault(`cut:${CUT}`, {});
  const live = { source: await media('steady'), loop: ['--keep'] };
  const stage = await Stage.open(t, { live, faults: fault });
  const viewers = [];
  for (let n = 0; n < 3; n += 1) {
    const viewer = await stage.viewer();
    viewers.push(viewer);
    await playsTo(viewer, 1);
    if (n > 0) await findsPeers(viewer);
  }
  fault.begin();
  await until(
    'cutting them all',
    () => fault.happened,
    (times) => times === CUT,
    OVER_MS,
  );
  await sleep(AFTERWARDS_MS);
  for (const [n, viewer] of viewers.entries()) {
    const seen = await viewer.metrics();
    assert.deepEqual(stalls(seen), [], `viewer ${n}`);
    assert.equal(seen.stats.live.state, 'live');
    // One may be elected each time: the first who has shown what its uplink carries.
    assert.ok(seen.bytes.peers + seen.bytes.uploaded > 0, `viewer ${n} shares nothing`);
    assert.deepEqual((await stage.check(viewer)).wrong, []);
  }
});
