// One command of a test suite: its output is ours, and nothing that it started outlives it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { ROOT } from './paths.mjs';

/** Whether the command ended with 0. */
export async function spawnSuite(command, args, env) {
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = await once(child, 'exit');
  return status === 0;
}
