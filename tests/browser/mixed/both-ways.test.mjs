import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Stage, findsPeers, goesAhead, playsTo, stalls } from '../lib/stage.mjs';

describe('Chromium and Firefox', { concurrency: 2 }, () => {
  for (const [early, late] of [
    ['chromium', 'firefox'],
    ['firefox', 'chromium'],
  ]) {
    test(`${early} feeds ${late}`, async (t) => {
      const stage = await Stage.open(t);
      const first = await stage.viewer({}, early);
      await goesAhead(first, 6);
      const second = await stage.viewer({}, late);
      await findsPeers(second);
      const seen = await playsTo(second, 10);
      assert.ok(
        seen.bytes.peers > seen.bytes.http,
        `${seen.bytes.peers} bytes from peers, ${seen.bytes.http} over HTTP`,
      );
      for (const viewer of [first, second]) {
        assert.deepEqual(stalls(await viewer.metrics()), []);
        assert.deepEqual((await stage.check(viewer)).wrong, []);
      }
    });
  }
});
