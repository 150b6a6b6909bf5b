import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Alarm, now } from './clock.js';

test('time is whole microseconds and never goes back', () => {
  const times = Array.from({ length: 1000 }, now);
  assert(times.every(Number.isSafeInteger));
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
});

test('an alarm rings once, not before its time', async () => {
  let rung = 0;
  const due = now() + 20_000;
  await new Promise<void>((resolve) => {
    const alarm = new Alarm(() => {
      rung += 1;
      resolve();
    });
    alarm.set(due + 1_000_000);
    alarm.set(due);
    alarm.set(due);
  });
  assert(now() >= due);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(rung, 1);
});

test('an alarm waits on when its timer comes too soon', async (context) => {
  // A timer that counts ten times as fast as the clock of the engine.
  const honest = globalThis.setTimeout;
  const hasty = (ring: () => void, ms: number) => honest(ring, ms / 10);
  context.mock.method(globalThis, 'setTimeout', hasty as typeof setTimeout);
  const due = now() + 20_000;
  const rang = await new Promise<number>((resolve) => {
    new Alarm(() => {
      resolve(now());
    }).set(due);
  });
  assert(rang >= due, `${rang} is before ${due}`);
});

test('an alarm can be taken back, and set again for what is past', async () => {
  let rung = 0;
  const alarm = new Alarm(() => (rung += 1));
  alarm.set(now() + 5_000);
  alarm.set(null);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(rung, 0);
  alarm.set(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(rung, 1);
});
