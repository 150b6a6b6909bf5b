import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { Stage, findsPeers, holds, playsTo } from '../lib/stage.mjs';

test('share "ask": before consent no RTCPeerConnection and no UDP packet, after it peers', async (t) => {
  const stage = await Stage.open(t);
  const first = await stage.viewer();
  await holds(first, 10);
  await stage.closeViewer(first);

  const before = await datagrams();
  const asking = await stage.viewer({ share: 'ask' });
  const other = await stage.viewer({ share: 'ask' });
  const seen = await playsTo(asking, 6);
  assert.equal(seen.connectionsMade, 0);
  assert.equal((await datagrams()) - before, 0, 'UDP datagrams');

  await asking.evaluate(() => window.__viewer.peer.consent());
  await other.evaluate(() => window.__viewer.peer.consent());
  await findsPeers(asking);
  assert.deepEqual((await stage.check(asking)).wrong, []);
});

// Datagrams that left this machine or namespace, IPv4 and IPv6.
async function datagrams() {
  const [names, values] = (await readFile('/proc/net/snmp', 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('Udp:'));
  const v4 = Number(values.split(' ')[names.split(' ').indexOf('OutDatagrams')]);
  const v6 = Number(/^Udp6OutDatagrams\s+(\d+)/m.exec(await readFile('/proc/net/snmp6', 'utf8'))?.[1] ?? 0);
  return v4 + v6;
}
