import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Stage, playsTo, stalls } from '../lib/stage.mjs';

describe('a viewer that must do without something', { concurrency: 2 }, () => {
  test('without WebRTC it plays, verified, over HTTP', async (t) => {
    const stage = await Stage.open(t);
    await playsVerified(stage, { webrtc: 'off' });
  });

  test('without a tracker it plays, verified, over HTTP', async (t) => {
    const stage = await Stage.open(t);
    await playsVerified(stage, { tracker: null });
  });

  test('a server that ignores Range: it plays', async (t) => {
    const stage = await Stage.open(t, { stream: 'sample', faults: { ignoreRange: true } });
    await playsVerified(stage, { height: 180 });
  });

  test('a device clock that is off by a day, either way: it plays', async (t) => {
    const stage = await Stage.open(t);
    const day = 24 * 3600 * 1000;
    for (const skew of [day, -day]) {
      await playsVerified(stage, { skew, worker: `/viewer/worker.js?skew=${skew}` });
    }
  });

  test('tokens in query strings: it plays, and no peer or tracker sees one', async (t) => {
    const token = 'token-that-nobody-may-see';
    const stage = await Stage.open(t, { faults: { token } });
    await playsVerified(stage, { token, source: `index.m3u8?token=${token}` });
    assert.ok(stage.origin.log.some(({ query }) => query.includes(token)));
  });
});

async function playsVerified(stage, options) {
  const viewer = await stage.viewer(options);
  const seen = await playsTo(viewer, 5);
  assert.deepEqual(stalls(seen), []);
  assert.equal(seen.bytes.peers, 0);
  const check = await stage.check(viewer);
  assert.deepEqual(check.wrong, []);
  assert.ok(check.bytes > 0);
  await stage.closeViewer(viewer);
}
