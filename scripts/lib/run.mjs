// Starting other programs, and ending every one of them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { ROOT, TOOLS_BIN } from './paths.mjs';

/** A program that ended with another status than 0. */
export class CommandFailed extends Error {
  constructor(command, status, output) {
    super(
      [`${command} ended with ${status}`, ...output.trim().split('\n').slice(-SAID_LINES)].join('\n').trim(),
    );
    this.name = 'CommandFailed';
    this.status = status;
  }
}

/** Our environment, with the project's own tools found first. */
export function environment(extra = {}) {
  return { ...process.env, PATH: `${TOOLS_BIN}:${process.env.PATH}`, ...extra };
}

/** Runs a program to its end with our terminal as its output. */
export async function run(command, args, { env = {}, cwd = ROOT, quiet = false } = {}) {
  const child = spawn(command, args, {
    cwd,
    env: environment(env),
    stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
  });
  const started = { end: (signal) => child.kill(signal) };
  running.add(started);
  const status = await ending(child).finally(() => running.delete(started));
  if (status !== 0) {
    throw new CommandFailed([command, ...args].join(' '), status, '');
  }
}

/** Runs a program to its end and returns what it wrote, both streams in one; `null` if there is no such program. */
export async function output(command, args, { env = {}, cwd = ROOT } = {}) {
  const child = spawn(command, args, { cwd, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (part) => (text += part));
  child.stderr.on('data', (part) => (text += part));
  let status;
  try {
    // Not at its exit: what it wrote last may not have been read yet.
    status = await ending(child, 'close');
  } catch (error) {
    if (error.code === 'ENOENT') {
      return null;
    }
    throw error;
  }
  if (status !== 0) {
    throw new CommandFailed([command, ...args].join(' '), status, text);
  }
  return text;
}

/** Starts a program that goes on until `stop()`. It leads a process group of its own, so that its children end with it. */
export function start(command, args, { env = {}, cwd = ROOT, onLine = () => {} } = {}) {
  const child = spawn(command, args, {
    cwd,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const lines = [];
  const ended = ending(child).catch((error) => error);
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.on('data', (part) => {
      const whole = `${rest}${part}`.split('\n');
      rest = whole.pop() ?? '';
      for (const line of whole) {
        lines.push(line);
        if (lines.length > KEPT_LINES) {
          lines.shift();
        }
        onLine(line);
      }
    });
  }
  const started = { pid: child.pid, lines, ended, stop, end: (signal) => signalGroup(child, signal) };
  running.add(started);
  ended.then(() => running.delete(started));
  return started;

  async function stop(signal = 'SIGTERM') {
    signalGroup(child, signal);
    const late = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }
}

/** Ends all programs that are still running, at once: for the way out. */
export function stopAll(signal = 'SIGTERM') {
  for (const { end } of running) {
    end(signal);
  }
}

async function ending(child, event = 'exit') {
  const [status, signal] = await once(child, event);
  return status ?? signal;
}

function signalGroup(child, signal) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') {
      throw error;
    }
  }
}

const running = new Set();
const KEPT_LINES = 400;
const SAID_LINES = 8;
const STOP_MS = 5000;

process.on('exit', () => stopAll('SIGKILL'));
