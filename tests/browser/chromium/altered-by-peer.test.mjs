import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, goesAhead, outplays, segmentsToFetch, stalls, until } from '../lib/stage.mjs';

test('a viewer that alters what it sends is named and left; playback goes on from another source', async (t) => {
  const stage = await Stage.open(t);
  const culprit = await stage.viewer({ worker: '/viewer/worker.js?alter=6' });
  await goesAhead(culprit, 8);
  const handle = await until('the culprit in the swarm', () =>
    culprit.metrics().then(({ handle: own }) => own),
  );
  const victim = await stage.viewer();
  const early = await until(
    'the first frame',
    () => victim.metrics(),
    ({ firstFrameMs }) => firstFrameMs !== null,
  );
  assert.ok(segmentsToFetch(early) >= 5, `${segmentsToFetch(early)} segments to fetch`);

  const [blamed] = await until(
    'blaming the culprit',
    () => victim.events('peer-blamed'),
    (events) => events.length > 0,
  );
  assert.equal(blamed.handle, handle);
  const after = await outplays(victim, await victim.metrics());
  assert.deepEqual(stalls(after), []);
  assert.equal(after.peers, 0, 'the connection is closed and not made again');
  const check = await stage.check(victim);
  assert.deepEqual(check.wrong, []);
  assert.ok(check.bytes > 0);
});
