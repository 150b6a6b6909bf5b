// What came of an attack, as the tests of the core say it: one line, where `npm run test:hostile` wants it.

import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';

/** Whether all runs are wanted, and not the few that every test run can afford. */
export const FULL = process.env.SWARMSEAL_HOSTILE_FULL !== undefined;

/**
 * Writes the line down, then fails the test if the attack did not take place or had success: {threat, attack, attempts,
 * successes, figure, target}, where `threat` is a row of docs/THREATS.md.
 */
export async function conclude(outcome) {
  const file = process.env.SWARMSEAL_HOSTILE_REPORT;
  if (file !== undefined) {
    await appendFile(file, `${JSON.stringify(outcome)}\n`);
  }
  assert.ok(outcome.attempts > 0, `the attack did not take place: ${outcome.attack}`);
  assert.equal(outcome.successes, 0, `the attack succeeded: ${outcome.attack}; ${outcome.figure}`);
}
