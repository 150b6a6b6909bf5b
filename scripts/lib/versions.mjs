// What a measurement was made with.

import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { CommandFailed, output } from './run.mjs';
import { ROOT } from './paths.mjs';

export async function versions() {
  const [hls, rustc, commit] = await Promise.all([
    readFile(path.join(ROOT, 'node_modules', 'hls.js', 'package.json'), 'utf8').then(
      (text) => JSON.parse(text).version,
    ),
    firstLine('rustc', ['--version']),
    firstLine('git', ['describe', '--always', '--dirty']),
  ]);
  return {
    swarmseal: commit,
    'hls.js': hls,
    node: process.version,
    rustc,
    cores: os.availableParallelism(),
    system: `${os.type()} ${os.release()}`,
  };
}

async function firstLine(command, args) {
  try {
    return (await output(command, args))?.split('\n')[0] ?? null;
  } catch (error) {
    if (error instanceof CommandFailed) {
      return null;
    }
    throw error;
  }
}
