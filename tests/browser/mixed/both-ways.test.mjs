import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, playsTo } from '../lib/stage.mjs';

for (const [early, late] of [
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
]) {
  test(`${early} feeds ${late}`, async (t) => {
    const stage = await Stage.open(t);
    const first = await stage.viewer({}, early);
    await playsTo(first, 6);
    const second = await stage.viewer({}, late);
    await findsPeers(second);
    const seen = await playsTo(second, 14);
    assert.ok(
      seen.bytes.peers > seen.bytes.http,
      `${seen.bytes.peers} bytes from peers, ${seen.bytes.http} over HTTP`,
    );
    for (const viewer of [first, second]) {
      assert.deepEqual((await viewer.metrics()).stalls, []);
      assert.deepEqual((await stage.check(viewer)).wrong, []);
    }
  });
}
