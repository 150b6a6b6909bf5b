import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { media } from '../lib/media.mjs';
import { Stage, findsPeers, playsTo, stalls, until } from '../lib/stage.mjs';

const TOGETHER_MS = 40_000;
const SEGMENT_S = 2;

test('viewers of a live stream feed each other at the latency that their player keeps', async (t) => {
  const stage = await live(t);
  const viewers = [];
  for (let n = 0; n < 3; n += 1) {
    const viewer = await stage.viewer();
    viewers.push(viewer);
    await until('playing', () => viewer.metrics(), plays);
    if (n > 0) await findsPeers(viewer);
  }
  const before = await Promise.all(viewers.map((viewer) => viewer.metrics()));
  const asked = (await stage.requests()).length;
  await sleep(TOGETHER_MS);
  const after = await Promise.all(viewers.map((viewer) => viewer.metrics()));
  const requests = (await stage.requests()).slice(asked).map((request) => request.path);

  for (const [n, seen] of after.entries()) {
    assert.deepEqual(stalls(seen), [], `viewer ${n}`);
    assert.equal(seen.parseErrors, 0);
    assert.equal(seen.stats.live.state, 'live');
    const behind = seen.stats.live.latencyUs / 1e6;
    assert.ok(behind < 5 * SEGMENT_S, `viewer ${n} is ${behind} s behind`);
    const { wrong, bytes } = await stage.check(viewers[n]);
    assert.deepEqual(wrong, []);
    assert.ok(bytes > 1_000_000);
  }
  const gained = (from) => after.reduce((sum, seen, n) => sum + seen.bytes[from] - before[n].bytes[from], 0);
  const share = gained('peers') / (gained('peers') + gained('http'));
  assert.ok(share > 0.5, `${Math.round(share * 100)} % from peers`);
  const segments = requests.filter((name) => name.endsWith('.m4s'));
  const surplus = segments.length - new Set(segments).size;
  assert.ok(surplus <= 2, `${surplus} segments were fetched twice`);
  const brought = after.reduce((sum, seen, n) => sum + headsFromPeers(seen) - headsFromPeers(before[n]), 0);
  assert.ok(brought > 0, 'no head came from a peer');
});

test('the stream ends: everything stays playable, and nobody asks any more', async (t) => {
  const stage = await live(t);
  const viewer = await stage.viewer();
  await until('playing', () => viewer.metrics(), plays);
  await stage.live.end();
  const ended = await until(
    'the end',
    () => viewer.metrics(),
    ({ stats }) => stats?.live?.state === 'ended',
  );
  await playsTo(viewer, ended.bufferedEnd - 1);
  const polls = async () => (await stage.requests()).filter(({ path }) => path.endsWith('/latest')).length;
  const then = await polls();
  await viewer.seek(0);
  const back = await until(
    'playing from the beginning',
    () => viewer.metrics(),
    ({ position, duration }) => position > 1 && Number.isFinite(duration),
  );
  assert.deepEqual(
    back.errors.filter(({ fatal }) => fatal),
    [],
  );
  assert.equal(await polls(), then);
});

/** Everything is kept, so that what viewers got can be compared with it. */
async function live(t) {
  return Stage.open(t, { live: { source: await media('steady'), loop: ['--keep'] } });
}

function plays({ firstFrameMs, position, errors }) {
  const fatal = errors.find((error) => error.fatal === true || error.fatal === undefined);
  if (fatal !== undefined) throw new Error(`the viewer failed: ${fatal.code}: ${fatal.message}`);
  return firstFrameMs !== null && position > 1;
}

function headsFromPeers({ stats }) {
  return stats.live.headsFromPeers;
}
