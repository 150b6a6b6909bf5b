// Options of commands, and those of `npm start`, which the script that sets up and the one that measures both read.

import { parseArgs } from 'node:util';

import { red } from './say.mjs';

/** The options that a command was called with. With `--help` it says its usage and ends; so it does if there is no such option. */
export function readOptions(usage, options) {
  try {
    const help = { type: 'boolean', short: 'h' };
    const { values, positionals } = parseArgs({ options: { ...options, help }, allowPositionals: true });
    if (!values.help) {
      return { values, positionals };
    }
  } catch (error) {
    // It goes on with advice on how to quote.
    console.error(red(error.message.split('. ')[0]));
    console.error(usage);
    process.exit(2);
  }
  console.log(usage);
  process.exit(0);
}

export const RUN_OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  viewers: { type: 'string' },
  seconds: { type: 'string' },
  stagger: { type: 'string' },
  json: { type: 'string' },
  browser: { type: 'string' },
  content: { type: 'string' },
  key: { type: 'string' },
  height: { type: 'string' },
  port: { type: 'string' },
  live: { type: 'boolean' },
  encoder: { type: 'string' },
  'low-latency': { type: 'boolean' },
  control: { type: 'boolean' },
  pairs: { type: 'string' },
  churn: { type: 'string' },
  fault: { type: 'string' },
  skew: { type: 'string' },
};
