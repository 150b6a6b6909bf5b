import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, holds, playsTo, until } from '../lib/stage.mjs';
import { objectsDone, shareFromPeers } from '../lib/sources.mjs';

const SEGMENTS = 10_000;
const RECORD = 64;
const JUMPS = [0, 1100, 2600, 5200, 7900, 9900];

test('10,000 segments share to their end, and the index loads by pages', async (t) => {
  const stage = await Stage.open(t, { stream: 'endless' });
  const [video] = stage.manifest.tracks;
  assert.equal(video.segments, SEGMENTS);

  const first = await stage.viewer();
  await holds(first, 10);
  const second = await stage.viewer();
  await findsPeers(second);
  for (const to of JUMPS) {
    await first.seek(to);
    await playsTo(first, to);
    await holds(first, to + 10);
    await second.seek(to);
    await playsTo(second, to + 2);
    const here = await until(
      `fetching segments after ${to} s`,
      async () => (await objectsDone(second)).filter(({ index }) => index >= to + 2 && index < to + 8),
      ({ length }) => length >= 5,
    );
    assert.ok(shareFromPeers(here) > 0.5, `${shareFromPeers(here)} from peers after ${to} s`);
  }

  const index = (await stage.requests()).filter(({ path }) => path.endsWith('.index'));
  const loaded = index.reduce((sum, { bytes }) => sum + bytes, 0) / stage.viewers.length;
  assert.ok(loaded > 0 && loaded < (SEGMENTS * RECORD) / 2, `${loaded} bytes of index for one viewer`);
  assert.deepEqual((await stage.check(second)).wrong, []);
});
