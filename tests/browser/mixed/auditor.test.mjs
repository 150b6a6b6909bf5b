import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { Stage, goesAhead, until } from '../lib/stage.mjs';
import { SWARMSEAL, WORK } from '../../../scripts/lib/paths.mjs';
import { keyPair } from '../../../scripts/lib/site.mjs';
import { start } from '../../../scripts/lib/run.mjs';

test('an auditor has a Chromium put out that alters what it sends, and not an honest Firefox', async (t) => {
  const auditor = await keyPair(path.join(WORK, 'keys'), 'auditor');
  const operator = `127.0.0.1:${await freePort()}`;
  const config = `metrics_listen = "${operator}"\n[tracker]\nauditors = ["${auditor.publicKey}"]\n`;
  const stage = await Stage.open(t, { config });
  const honest = await stage.viewer({}, 'firefox');
  await goesAhead(honest, 8);
  const culprit = await stage.viewer({ worker: '/viewer/worker.js?alter=0' }, 'chromium');
  await goesAhead(culprit, 8);
  const { handle } = await culprit.metrics();

  const notes = [];
  const auditing = start(
    SWARMSEAL,
    [
      ...['audit', new URL('/content/content.seal', stage.url).href],
      ...['--tracker', stage.trackerUrl, '--operator', `http://${operator}/`],
      ...['--key', auditor.file, '--publisher', stage.keys.publisher.publicKey],
      ...['--tracker-key', stage.keys.tracker.publicKey, '--address', ownAddress()],
      // Half a percent of what two viewers get would find nothing within a test.
      ...['--share', '100', '--stream', '20000', '--rate', '20000', '--visit', '15s'],
    ],
    { onLine: (line) => notes.push(JSON.parse(line)) },
  );
  t.after(() => auditing.stop());
  const reported = () => notes.filter(({ note }) => note === 'reported');
  await until('a report', () => reported().length > 0);
  const before = (await honest.metrics()).bytes.uploaded;
  const visits = notes.filter(({ note }) => note === 'left').length;
  await until('a visit more', () => notes.filter(({ note }) => note === 'left').length >= visits + 2);

  assert.deepEqual(reported(), [{ note: 'reported', handle, outcome: 'revoked', reason: null }]);
  const after = await honest.metrics();
  assert.ok(after.bytes.uploaded > before, 'the honest one was audited after that, over real data channels');
  assert.equal(after.stats.tracker, 'joined', 'the honest one is still admitted');
});

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Browsers do not connect to loopback candidates of others. */
function ownAddress() {
  const own = Object.values(networkInterfaces())
    .flat()
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return own.address;
}
