import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  Stage,
  findsPeers,
  goesAhead,
  outplays,
  playsTo,
  segmentsToFetch,
  stalls,
  until,
} from '../lib/stage.mjs';

describe('Firefox', { concurrency: 2 }, () => {
  test('Firefox: one viewer plays, a second one is fed by the first, and goes on when the first leaves', async (t) => {
    const stage = await Stage.open(t);
    const first = await stage.viewer({}, 'firefox');
    await goesAhead(first, 6);
    const second = await stage.viewer({}, 'firefox');
    await findsPeers(second);
    const fed = await playsTo(second, 4);
    assert.ok(fed.bytes.peers > 0);
    assert.ok(segmentsToFetch(fed) >= 5, `${segmentsToFetch(fed)} segments to fetch`);
    await stage.closeViewer(first);

    const after = await outplays(second, fed);
    assert.deepEqual(stalls(after), []);
    assert.equal(after.parseErrors, 0);
    assert.deepEqual((await stage.check(second)).wrong, []);
  });

  test('Firefox: without WebRTC it plays, verified, over HTTP', async (t) => {
    const stage = await Stage.open(t);
    const viewer = await stage.viewer({ webrtc: 'off' }, 'firefox');
    const seen = await playsTo(viewer, 5);
    assert.deepEqual(stalls(seen), []);
    assert.deepEqual((await stage.check(viewer)).wrong, []);
  });

  test('Firefox: seeking', async (t) => {
    const stage = await Stage.open(t);
    const viewer = await stage.viewer({}, 'firefox');
    await playsTo(viewer, 2);
    for (const to of [100, 20, 150]) {
      await viewer.seek(to);
      await until(
        `playing after ${to} s`,
        () => viewer.metrics(),
        ({ position }) => position > to + 1 && position < to + 10,
      );
    }
    assert.deepEqual((await stage.check(viewer)).wrong, []);
  });
});
