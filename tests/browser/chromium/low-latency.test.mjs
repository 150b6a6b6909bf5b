import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { Stage, findsPeers, playsTo, stalls } from '../lib/stage.mjs';
import { media } from '../lib/media.mjs';

const TOGETHER_MS = 20_000;
/** Three segments of 2 s: where a player of the same stream stays without parts. */
const THREE_SEGMENTS_US = 6e6;

test('viewers share the parts of low-latency HLS, nearer to the edge than whole segments allow', async (t) => {
  const source = await media('fragments');
  const stage = await Stage.open(t, { live: { source, loop: ['--keep'], lowLatency: true } });
  const viewers = [];
  for (let n = 0; n < 3; n += 1) {
    const viewer = await stage.viewer();
    viewers.push(viewer);
    await playsTo(viewer, 1);
    if (n > 0) await findsPeers(viewer);
  }
  const before = await Promise.all(viewers.map((viewer) => viewer.metrics()));
  await sleep(TOGETHER_MS);
  const after = await Promise.all(viewers.map((viewer) => viewer.metrics()));
  for (const [n, seen] of after.entries()) {
    const late = stalls(seen).filter(({ at }) => at > seen.firstFrameMs + 5_000);
    assert.deepEqual(late, [], `viewer ${n}`);
    assert.equal(seen.parseErrors, 0);
    assert.ok(seen.stats.live.latencyUs < THREE_SEGMENTS_US, `viewer ${n}: ${seen.stats.live.latencyUs} µs`);
    assert.deepEqual((await stage.check(viewers[n])).wrong, []);
  }
  const gained = (from) => after.reduce((sum, seen, n) => sum + seen.bytes[from] - before[n].bytes[from], 0);
  const share = gained('peers') / (gained('peers') + gained('http'));
  assert.ok(share > 0.4, `${Math.round(share * 100)} % from peers`);
  const loads = (await viewers[0].loads()).map(({ url }) => url);
  assert.ok(loads.filter((url) => /-part-\d+\.m4s$/.test(url)).length > 20, 'parts were played');
});
