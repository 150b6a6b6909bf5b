// What every measurement of headless viewers does alike: read whole numbers, say a result, and end with all that it started.

import { green, red } from './say.mjs';
import { stopAll } from './run.mjs';

/** Runs `measure` and ends this process: with 0 if it says that all went well. */
export async function runMeasurement(measure) {
  process.on('SIGINT', () => leave(130));
  process.on('SIGTERM', () => leave(143));
  let passed = false;
  try {
    passed = await measure();
  } catch (error) {
    console.error(red(error.stack));
  }
  leave(passed ? 0 : 1);
}

/** The option `--name` as a whole number above 0; ends this process where it is none. */
export function wholeNumber(values, name, otherwise) {
  const value = Number(values[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1) {
    console.error(red(`--${name} must be a whole number above 0`));
    process.exit(2);
  }
  return value;
}

/** One line of a result, in red if it is none to be content with. */
export function resultLine(name, value, isGood = true) {
  console.log(`  ${name.padEnd(37)}${isGood ? green(value) : red(value)}`);
}

/** A share in percent. */
export function percent(share) {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`;
}

/** A number that may be missing. */
export function figure(value, digits) {
  return value === null ? '–' : value.toFixed(digits);
}

function leave(status) {
  stopAll();
  process.exit(status);
}
