import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, goesAhead, playsTo, stalls } from '../lib/stage.mjs';

test('one viewer plays; a second one is fed by the first', async (t) => {
  const stage = await Stage.open(t, { stream: 'sample' });
  const first = await stage.viewer({ height: 360 });
  await goesAhead(first, 4);
  const second = await stage.viewer({ height: 360 });
  await findsPeers(second);
  const seen = await playsTo(second, 8);
  const { shown } = (await first.metrics()).bytes;
  assert.ok(shown > 0, 'it has shown the tracker what it announced');

  assert.ok(
    seen.bytes.peers > seen.bytes.http,
    `${seen.bytes.peers} bytes from peers, ${seen.bytes.http} over HTTP`,
  );
  for (const viewer of [first, second]) {
    const seen = await viewer.metrics();
    assert.deepEqual(stalls(seen), []);
    assert.equal(seen.parseErrors, 0);
    assert.deepEqual((await stage.check(viewer)).wrong, []);
  }
});
