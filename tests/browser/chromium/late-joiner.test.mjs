import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { Stage, findsPeers, playsTo, stalls, until } from '../lib/stage.mjs';
import { objectsDone, shareFromPeers } from '../lib/sources.mjs';

// Enough that one segment more or less does not decide whether 95 % is reached.
const LATER = 24;
const JOINS = 20;
const AT_A_TIME = 4;

test('a third viewer 30 s later gets at least 95 % from peers; 20 of 20 joins at any place play', async (t) => {
  const stage = await Stage.open(t);
  const first = await stage.viewer();
  await playsTo(first, 3);
  const second = await stage.viewer();
  await playsTo(first, 30);

  const third = await stage.viewer();
  const later = await until(
    `fetching ${LATER} segments`,
    async () => (await objectsDone(third)).filter(({ index }) => index >= 2),
    ({ length }) => length >= LATER,
    60_000,
  );
  const overHttp = JSON.stringify(later.filter(({ fromHttp }) => fromHttp > 0));
  assert.ok(
    shareFromPeers(later) >= 0.95,
    `${shareFromPeers(later)} of ${later.length} segments; over HTTP: ${overHttp}`,
  );
  await stage.closeViewer(third);

  const random = seeded(7);
  const waiting = Array.from({ length: JOINS }, (_, n) => ({
    n,
    start: Math.round(random() * 50),
    pauseMs: random() * 500,
  }));
  const joinInTurn = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await join(stage, next);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, joinInTurn));
  for (const viewer of [first, second]) {
    assert.deepEqual(stalls(await viewer.metrics()), []);
    assert.deepEqual((await stage.check(viewer)).wrong, []);
  }
});

async function join(stage, { n, start, pauseMs }) {
  await sleep(pauseMs);
  const joiner = await stage.viewer({ start });
  await playsTo(joiner, start + 1.5, 15_000).catch((error) =>
    assert.fail(`join ${n + 1} at ${start} s: ${error.message}`),
  );
  if (n % 5 === 0) {
    await findsPeers(joiner);
  }
  await stage.closeViewer(joiner);
}

function seeded(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
