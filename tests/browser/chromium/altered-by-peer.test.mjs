import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, outplays, stalls } from '../lib/stage.mjs';
import { blames } from '../lib/culprit.mjs';

test('a viewer that alters what it sends is named and left; playback goes on from another source', async (t) => {
  const stage = await Stage.open(t);
  const { handle, victim, blamed } = await blames(stage, { worker: '/viewer/worker.js?alter=6' });
  assert.equal(blamed.handle, handle);
  const after = await outplays(victim, await victim.metrics());
  assert.deepEqual(stalls(after), []);
  assert.equal(after.peers, 0, 'the connection is closed and not made again');
  const check = await stage.check(victim);
  assert.deepEqual(check.wrong, []);
  assert.ok(check.bytes > 0);
});
