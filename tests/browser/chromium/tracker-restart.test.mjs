import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, goesAhead, outplays, playsTo, segmentsToFetch, stalls } from '../lib/stage.mjs';

test('the tracker is killed and restarted in mid-play: nobody notices, and a newcomer finds peers', async (t) => {
  const stage = await Stage.open(t, { ownTracker: true });
  const first = await stage.viewer();
  await goesAhead(first, 4);
  const second = await stage.viewer();
  await findsPeers(second);
  const seen = await playsTo(second, 2);
  assert.ok(segmentsToFetch(seen) >= 5, `${segmentsToFetch(seen)} segments to fetch`);
  const made = seen.connectionsMade;

  await stage.restartTracker(3000);
  const during = await playsTo(second, seen.position + 8);
  assert.ok(during.bytes.peers > seen.bytes.peers, 'the connection went on feeding');

  const newcomer = await stage.viewer();
  await findsPeers(newcomer, 1, 30_000);
  const fed = await playsTo(newcomer, 3);
  assert.ok(fed.bytes.peers > 0);
  await outplays(second, seen);
  for (const viewer of [first, second]) {
    assert.deepEqual(stalls(await viewer.metrics()), []);
  }
  const { connectionsMade } = await second.metrics();
  assert.ok(connectionsMade <= made + 1, `${made} connections before, ${connectionsMade} after`);
});
