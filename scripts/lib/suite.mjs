// One command of a test suite: its output is ours, and nothing that it started outlives it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { ROOT } from './paths.mjs';

/** Whether the command ended with 0. */
export async function spawnSuite(command, args, env) {
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status, signal] = await once(child, 'exit');
  if (signal !== null) {
    console.error(`${command} was ended by ${signal}`);
  }
  return status === 0;
}
