import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, goesAhead, outplays, playsTo, stalls, until } from '../lib/stage.mjs';

test('a worker that dies is replaced, then plays without peers, then fails plainly: verified all the way', async (t) => {
  const stage = await Stage.open(t);
  await goesAhead(await stage.viewer(), 4);
  const viewer = await stage.viewer({ worker: '/viewer/worker.js?mortal' });
  await findsPeers(viewer);

  await endWorker(viewer, { silently: false });
  assert.equal((await replaced(viewer, 1)).withPeers, true);
  const again = await findsPeers(viewer);
  assert.ok(again.connectionsMade >= 2, `${again.connectionsMade} connections made`);
  const first = await playsTo(viewer, again.position + 3);

  await endWorker(viewer, { silently: true });
  assert.equal((await replaced(viewer, 2)).withPeers, false);
  const second = await outplays(viewer, first);
  assert.deepEqual([stalls(second), second.peers], [[], 0]);
  assert.ok(second.bytes.http > 0, 'the rest came over HTTP');

  await endWorker(viewer, { silently: false });
  const [error] = await until(
    'saying that it is over',
    () => viewer.events('error'),
    (events) => events.length > 0,
  );
  assert.equal(error.code, 'worker_failed');
  const { wrong, bytes } = await stage.check(viewer);
  assert.deepEqual(wrong, []);
  assert.ok(bytes > 0);
});

async function endWorker(viewer, { silently }) {
  await viewer.evaluate((how) => {
    const channel = new BroadcastChannel('worker-end');
    channel.postMessage(how);
    channel.close();
  }, silently);
}

async function replaced(viewer, count) {
  const events = await until(
    `replacement ${count}`,
    () => viewer.events('worker-replaced'),
    ({ length }) => length >= count,
  );
  return events[count - 1];
}
