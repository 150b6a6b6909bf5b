// `npm test`: every suite, one after the other, with its time; `npm test -- NAME…` runs some. A failing suite does not keep
// the others from running. The last line says how many passed and how many failed.

import { availableParallelism } from 'node:os';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

import { ROOT } from './lib/paths.mjs';
import { bold, dim, green, red, seconds, step } from './lib/say.mjs';
import { environment, stopAll } from './lib/run.mjs';
import { setup } from './setup.mjs';
import { spawnSuite } from './lib/suite.mjs';
import { whereWebRtcWorks } from './lib/network.mjs';

const WASM = ['--target', 'wasm32-unknown-unknown'];
const LINTS = ['--all-targets', '--quiet', '--', '-D', 'warnings'];

/** In the order of running: cheap checks first, then what others build upon. */
const SUITES = [
  { name: 'rustfmt', commands: [['cargo', 'fmt', '--all', '--', '--check']] },
  { name: 'clippy', commands: [['cargo', 'clippy', '--workspace', ...LINTS]] },
  {
    name: 'clippy-wasm',
    commands: [
      ['cargo', 'clippy', ...packages('swarmseal', 'swarmseal-tracker', 'swarmseal-sim'), ...WASM, ...LINTS],
      // The core that plays titles, as pages download it.
      [
        'cargo',
        'clippy',
        ...packages('swarmseal'),
        '--lib',
        '--no-default-features',
        '--features',
        'standalone',
        ...WASM,
        ...LINTS.slice(1),
      ],
    ],
  },
  {
    name: 'deny',
    commands: [
      ['cargo-deny', '--workspace', 'check', '--hide-inclusion-graph', 'bans', 'licenses', 'sources'],
    ],
  },
  { name: 'rust', commands: [['cargo', 'test', '--workspace', '--quiet']] },
  {
    name: 'simulate',
    commands: [
      ['cargo', 'test', '--quiet', '--profile', 'sim', '--package', 'swarmseal-sim', '--test', 'claims'],
    ],
  },
  { name: 'instructions', commands: [[process.execPath, 'scripts/instructions.mjs']] },
  {
    name: 'wasm',
    env: { CHROMEDRIVER: 'chromedriver', WASM_BINDGEN_TEST_TIMEOUT: '120' },
    // Not --quiet: cargo would hand it on to the runner, which does not know it.
    commands: [
      ['cargo', 'test', '--package', 'swarmseal', '--lib', ...WASM, ...(await browserRustTests())],
      ['cargo', 'test', '--package', 'swarmseal-sim', '--test', 'determinism', ...WASM],
    ],
  },
  {
    name: 'vectors',
    commands: ['content', 'peer'].map((name) => [
      process.execPath,
      `tests/vectors/make/${name}.mjs`,
      '--check',
    ]),
  },
  {
    name: 'build',
    commands: [
      ['cargo', 'build', '--quiet', '--package', 'swarmseal-server'],
      ['npm', 'run', '--silent', 'build'],
    ],
  },
  { name: 'mutants', commands: [[process.execPath, 'scripts/test-hostile.mjs', '--mutants-apply']] },
  {
    name: 'results',
    commands: [
      [process.execPath, 'scripts/results-page.mjs', '--check'],
      [process.execPath, '--test', 'scripts/lib/results/'],
    ],
  },
  { name: 'types', commands: [['npm', 'run', '--silent', 'typecheck']] },
  { name: 'eslint', commands: [['node_modules/.bin/eslint', '.', '--max-warnings', '0']] },
  {
    name: 'prettier',
    commands: [['node_modules/.bin/prettier', '--check', '--log-level', 'warn', '.']],
  },
  { name: 'unit', commands: [['npm', 'run', '--silent', 'test:unit']] },
  { name: 'size', needs: ['build'], commands: [['npm', 'run', '--silent', 'size']] },
  { name: 'streams', commands: [[process.execPath, 'tests/browser/make-streams.mjs']] },
  browserSuite('chromium'),
  browserSuite('firefox'),
  browserSuite('mixed'),
  browserSuite('hostile'),
  browserSuite('alone'),
  { name: 'packaging', needs: ['build'], commands: [['npm', 'run', '--silent', 'test:packaging']] },
];

process.on('SIGINT', () => leave(130));
process.on('SIGTERM', () => leave(143));

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(
    red(`no suite is called ${unknown.join(', ')}; there are: ${SUITES.map(({ name }) => name).join(' ')}`),
  );
  process.exit(2);
}

const results = [];
const from = Date.now();
await timed('setup', () => setup('test').then(() => true));
if (results[0].passed) {
  for (const suite of chosen()) {
    await timed(suite.name, () => passes(suite));
  }
}
finish();

function chosen() {
  if (wanted.length === 0) {
    return SUITES;
  }
  const names = new Set(
    wanted.flatMap((name) => [...(SUITES.find((suite) => suite.name === name)?.needs ?? []), name]),
  );
  return SUITES.filter(({ name }) => names.has(name));
}

async function passes(suite) {
  const blocked = (suite.needs ?? []).filter((name) =>
    results.some((result) => result.name === name && !result.passed),
  );
  if (blocked.length > 0) {
    console.log(red(`cannot run: ${blocked.join(', ')} failed`));
    return false;
  }
  for (const [command, ...args] of suite.commands) {
    const [program, rest] = suite.webrtc
      ? await whereWebRtcWorks(command, args, { apart: true })
      : [command, args];
    if (!(await spawnSuite(program, rest, environment(suite.env)))) {
      return false;
    }
  }
  return true;
}

async function timed(name, task) {
  const started = Date.now();
  step(bold(name));
  let passed = false;
  try {
    passed = await task();
  } catch (error) {
    console.error(red(error.message));
  }
  const took = Date.now() - started;
  results.push({ name, passed, took });
  console.log(`${passed ? green('passed') : red('FAILED')} ${name} ${dim(seconds(took))}\n`);
}

function finish() {
  const width = Math.max(...results.map(({ name }) => name.length));
  console.log(bold(`summary, ${availableParallelism()} cores, ${seconds(Date.now() - from)}`));
  for (const { name, passed, took } of results) {
    console.log(
      `  ${name.padEnd(width)}  ${passed ? green('passed') : red('FAILED')}  ${seconds(took).padStart(12)}`,
    );
  }
  const failed = results.filter(({ passed }) => !passed).length;
  console.log(`\n${results.length - failed} passed, ${failed} failed`);
  leave(failed === 0 ? 0 : 1);
}

/** The Rust tests that say themselves that they run in a browser. */
async function browserRustTests() {
  const folder = path.join(ROOT, 'tests');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.rs'));
  const texts = await Promise.all(files.map((name) => readFile(path.join(folder, name), 'utf8')));
  const chosen = files.filter((_, n) => texts[n].includes('wasm_bindgen_test'));
  return chosen.flatMap((name) => ['--test', name.replace(/\.rs$/, '')]);
}

function packages(...names) {
  return names.flatMap((name) => ['--package', name]);
}

/** Two files at a time: they mostly wait for playback, which takes its time on any machine. */
function browserSuite(name) {
  const folder = path.join(ROOT, 'tests', 'browser', name);
  // A file of tests that does not end within so long does not end at all.
  const how = ['--test', '--test-concurrency=2', '--test-timeout=300000', '--test-reporter=spec'];
  const command = [process.execPath, ...how, folder];
  return { name, needs: ['build', 'streams'], webrtc: true, commands: [command] };
}

function leave(status) {
  stopAll();
  process.exit(status);
}
