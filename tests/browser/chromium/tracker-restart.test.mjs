import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, playsTo, segmentsToFetch } from '../lib/stage.mjs';

test('the tracker is killed and restarted in mid-play: nobody notices, and a newcomer finds peers', async (t) => {
  const stage = await Stage.open(t, { ownTracker: true });
  const first = await stage.viewer();
  await playsTo(first, 4);
  const second = await stage.viewer();
  await findsPeers(second);
  const seen = await playsTo(second, 4);
  assert.ok(segmentsToFetch(seen) >= 5, `${segmentsToFetch(seen)} segments to fetch`);
  const made = seen.connectionsMade;

  await stage.restartTracker(3000);
  const during = await playsTo(second, seen.position + 8);
  assert.ok(during.bytes.peers > seen.bytes.peers, 'the connection went on feeding');

  const newcomer = await stage.viewer();
  await findsPeers(newcomer, 1, 30_000);
  const fed = await playsTo(newcomer, 8);
  assert.ok(fed.bytes.peers > 0);
  for (const viewer of [first, second]) {
    const { stalls } = await viewer.metrics();
    assert.deepEqual(stalls, []);
  }
  const { connectionsMade } = await second.metrics();
  assert.ok(connectionsMade <= made + 1, `${made} connections before, ${connectionsMade} after`);
});
