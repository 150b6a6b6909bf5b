import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, playsTo } from '../lib/stage.mjs';

const PLAY_S = 24;
const SLOW = { stream: 'ladder', faults: { bytesPerSecond: 2_000_000 / 8 } };

test('with a 2 Mbit/s origin and fast peers, renditions oscillate no more than with hls.js alone', async (t) => {
  // At the same time, each from an origin of its own.
  const [reference, found] = await Promise.all([alone(t), together(t)]);
  assert.ok(found <= Math.max(1, reference), `${found} changes of direction, hls.js alone has ${reference}`);
});

async function alone(t) {
  const stage = await Stage.open(t, SLOW);
  const viewer = await stage.viewer({ swarmseal: 'off' });
  await playsTo(viewer, PLAY_S, 90_000);
  return reversals(await levels(viewer));
}

async function together(t) {
  const stage = await Stage.open(t, SLOW);
  const first = await stage.viewer();
  await playsTo(first, 10);
  const second = await stage.viewer();
  const seen = await playsTo(second, PLAY_S, 90_000);
  assert.ok(seen.bytes.peers > 0, 'bytes came from the fast peer');
  assert.deepEqual((await stage.check(second)).wrong, []);
  return reversals(await levels(second));
}

function levels(viewer) {
  return viewer.evaluate(() => window.__viewer.record.levels.map(({ level }) => level));
}

/** How often the rendition went up after it had gone down, or down after up. */
function reversals(sequence) {
  const steps = sequence
    .slice(1)
    .map((level, n) => Math.sign(level - sequence[n]))
    .filter((step) => step !== 0);
  return steps.slice(1).filter((step, n) => step !== steps[n]).length;
}
