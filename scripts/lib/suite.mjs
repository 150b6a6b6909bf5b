// One command of a test suite: its output is ours, and nothing that it started outlives it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT } from './paths.mjs';

/** Everything that a suite starts inherits this variable. */
const MARK = 'SWARMSEAL_SUITE';
const ENDING_MS = 5000;
const LOOK_EVERY_MS = 100;

/** Whether the command ended with 0 and left no program running. */
export async function spawnSuite(command, args, env) {
  const mark = `${process.pid}-${(suites += 1)}`;
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...env, [MARK]: mark },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [status, signal] = await once(child, 'exit');
  if (signal !== null) {
    console.error(`${command} was ended by ${signal}`);
  }
  const left = await leftBehind(`${MARK}=${mark}`);
  for (const { pid, name } of left) {
    console.error(`${command} left ${name} (process ${pid}) running; it is ended now`);
    process.kill(pid, 'SIGKILL');
  }
  return status === 0 && left.length === 0;
}

/** Programs that carry the mark and do not end by themselves soon. Where there is no /proc, none is seen. */
async function leftBehind(mark) {
  const end = Date.now() + ENDING_MS;
  for (;;) {
    // Also before the first look: a program that is just being started shows no variables for a moment.
    await sleep(LOOK_EVERY_MS);
    const left = await marked(mark);
    if (left.length === 0 || Date.now() > end) {
      return left;
    }
  }
}

async function marked(mark) {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(
    pids.map(async (pid) => {
      // Processes come and go while we look, and those of others cannot be read.
      const read = (file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const variables = (await read('environ')).split('\0');
      return variables.includes(mark) ? { pid: Number(pid), name: (await read('comm')).trim() } : null;
    }),
  );
  return all.filter((process) => process !== null);
}

let suites = 0;
