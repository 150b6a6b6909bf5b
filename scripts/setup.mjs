// Brings a fresh Debian 12 machine with rustup's Rust, Node.js and npm to where the project builds, runs and is tested.
// Looks first and installs only what is missing; a second run installs nothing.
//
//   node scripts/setup.mjs [start|viewers|live|test]     what for: the page, headless viewers, viewers of live streams, or
//                                                        all tests (the default)

import { createHash } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

import { CommandFailed, output, run } from './lib/run.mjs';
import { ROOT, TOOLS, TOOLS_BIN } from './lib/paths.mjs';
import { red, seconds, step } from './lib/say.mjs';

/** Something that only its user can install; `message` says what, why, and how. */
export class Missing extends Error {
  constructor(what, why, command) {
    super(`missing: ${what} (${why}); install it with: ${command}`);
    this.name = 'Missing';
  }
}

/** Checks and installs. `purpose` is `start`, `viewers`, `live` or `test`; each includes the one before. */
export async function setup(purpose) {
  const from = Date.now();
  let installed = 0;
  for (const need of NEEDS) {
    if (PURPOSES.indexOf(need.for) > PURPOSES.indexOf(purpose) || (await need.met())) {
      continue;
    }
    if (need.install === undefined) {
      throw new Missing(need.what, need.why, need.command);
    }
    step(`installing ${need.what}: it ${need.why}`);
    try {
      await need.install();
    } catch (error) {
      throw error instanceof Missing
        ? error
        : new Missing(need.what, `${need.why}; ${error.message}`, need.command);
    }
    if (!(await need.met())) {
      throw new Missing(need.what, need.why, need.command);
    }
    installed += 1;
  }
  if (installed > 0) {
    step(`set up in ${seconds(Date.now() - from)}`);
  }
}

const PURPOSES = ['start', 'viewers', 'live', 'test'];
const NODE_MAJOR = 20;
const DENY_VERSION = '0.20.2';
const NPM_STAMP = path.join(ROOT, 'node_modules', '.swarmseal-lock');

const NEEDS = [
  byHand({
    what: `Node.js ${NODE_MAJOR} or newer`,
    why: 'runs these scripts and builds the page',
    command: `your Node.js version manager, for instance: nvm install ${NODE_MAJOR}`,
    met: async () => Number(process.versions.node.split('.')[0]) >= NODE_MAJOR,
  }),
  byHand({
    what: 'npm',
    why: 'brings the build and test tools of the page',
    command: 'apt-get install npm',
    met: async () => (await version('npm')) !== null,
  }),
  byHand({
    what: 'rustup and cargo',
    why: 'builds the core and the server',
    command: "curl --proto '=https' -sSf https://sh.rustup.rs | sh",
    met: async () => (await version('cargo')) !== null && (await version('rustup')) !== null,
  }),
  byHand({
    what: 'a Rust that is new enough',
    why: 'must be at least what Cargo.toml says',
    command: 'rustup update stable',
    met: async () =>
      isAtLeast(await version('rustc'), await fromToml('Cargo.toml', /^rust-version = "([^"]+)"/m)),
  }),
  debian(
    'a C compiler',
    'start',
    'links Rust programs',
    ['gcc', 'libc6-dev'],
    async () => (await exists('cc')) && isFile('/usr/include/stdio.h'),
  ),
  component(
    'the wasm32 target',
    'start',
    'builds the core for browsers',
    ['target', 'add', 'wasm32-unknown-unknown'],
    async () =>
      ((await output('rustup', ['target', 'list', '--installed'])) ?? '').includes('wasm32-unknown-unknown'),
  ),
  component('rustfmt', 'test', 'checks how the Rust code is laid out', ['component', 'add', 'rustfmt'], () =>
    answers('cargo', ['fmt', '--version']),
  ),
  component('clippy', 'test', 'lints the Rust code', ['component', 'add', 'clippy'], () =>
    answers('cargo', ['clippy', '--version']),
  ),
  {
    what: 'npm packages',
    for: 'start',
    why: 'builds and tests the page',
    command: 'npm ci',
    met: async () => (await readFile(NPM_STAMP, 'utf8').catch(() => '')) === (await lockDigest()),
    install: async () => {
      await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
      await writeFile(NPM_STAMP, await lockDigest());
    },
  },
  cargoTool(
    'wasm-bindgen',
    'start',
    'binds the core to JavaScript, in exactly the version of Cargo.lock',
    'wasm-bindgen-cli',
    bindgenVersion,
  ),
  cargoTool(
    'cargo-deny',
    'test',
    'checks licences and sources of the crates that are built in',
    'cargo-deny',
    async () => DENY_VERSION,
  ),
  debian('Chromium', 'viewers', 'runs headless viewers', ['chromium'], () => exists('chromium')),
  debian('ip', 'viewers', 'gives browsers a network where there is none', ['iproute2'], () => exists('ip')),
  debian('ChromeDriver', 'test', 'runs the wasm tests in Chromium', ['chromium-driver'], () =>
    exists('chromedriver'),
  ),
  debian('Firefox ESR', 'test', 'is the second browser of the end-to-end tests', ['firefox-esr'], () =>
    exists('firefox-esr'),
  ),
  debian('coturn', 'test', 'relays in the tests of the exposure mode relay', ['coturn'], () =>
    exists('turnserver'),
  ),
  debian('tcpdump', 'test', 'records what a test looks for leaks in', ['tcpdump'], () => exists('tcpdump')),
  debian('OpenSSL', 'test', 'makes the certificates of tests', ['openssl'], () => exists('openssl')),
  debian('ffmpeg', 'live', 'makes streams to measure and test with', ['ffmpeg'], () => exists('ffmpeg')),
  debian('valgrind', 'test', 'counts the instructions that may not become more', ['valgrind'], () =>
    exists('valgrind'),
  ),
];

function byHand(need) {
  return { ...need, for: 'start' };
}

function debian(what, purpose, why, packages, met) {
  const command = `apt-get install ${packages.join(' ')}`;
  return {
    what,
    for: purpose,
    why,
    command,
    met,
    install: async () => {
      if (!(await exists('apt-get'))) {
        throw new Missing(what, why, `your system's package manager (on Debian: ${command})`);
      }
      const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
      if (asRoot.length > 0 && !(await answers('sudo', ['-n', 'true']))) {
        throw new Missing(what, why, `sudo ${command}`);
      }
      const env = { DEBIAN_FRONTEND: 'noninteractive' };
      const apt = (...args) => {
        const [first, ...rest] = [...asRoot, 'apt-get', ...args];
        return run(first, rest, { env, quiet: true });
      };
      try {
        await apt('install', '-y', '-qq', '--no-install-recommends', ...packages);
      } catch (error) {
        if (!(error instanceof CommandFailed)) {
          throw error;
        }
        await apt('update', '-qq');
        await apt('install', '-y', '-qq', '--no-install-recommends', ...packages);
      }
    },
  };
}

/** A tool that cargo builds into .tools, in the version that `wanted` gives. */
function cargoTool(what, purpose, why, crate, wanted) {
  return {
    what,
    for: purpose,
    why,
    command: `cargo install ${crate} --root .tools --locked`,
    met: async () => (await version(path.join(TOOLS_BIN, what))) === (await wanted()),
    install: async () => {
      // It runs for a moment in each build or test: one that is done sooner is worth more than one that runs faster.
      const profile = { OPT_LEVEL: '1', LTO: 'off', CODEGEN_UNITS: '16' };
      const env = Object.fromEntries(
        Object.entries(profile).map(([key, value]) => [`CARGO_PROFILE_RELEASE_${key}`, value]),
      );
      const args = ['install', crate, '--version', await wanted(), '--root', TOOLS, '--force', '--quiet'];
      const options = { env: { ...env, CARGO_TARGET_DIR: undefined } };
      try {
        await run('cargo', [...args, '--locked'], options);
      } catch (error) {
        if (!(error instanceof CommandFailed)) {
          throw error;
        }
        // What a tool was locked to may be gone: withdrawn, or not in this registry yet.
        step(`${what} cannot be built with the versions that it was locked to: with the newest that fit`);
        await run('cargo', args, options);
      }
    },
  };
}

function component(what, purpose, why, args, met) {
  return {
    what,
    for: purpose,
    why,
    command: `rustup ${args.join(' ')}`,
    met,
    install: () => run('rustup', args, { quiet: true }),
  };
}

async function bindgenVersion() {
  return fromToml('Cargo.lock', /name = "wasm-bindgen"\nversion = "([^"]+)"/);
}

async function fromToml(file, pattern) {
  const found = pattern.exec(await readFile(path.join(ROOT, file), 'utf8'));
  if (found?.[1] === undefined) {
    throw new Error(`${file} does not say ${pattern.source}`);
  }
  return found[1];
}

async function lockDigest() {
  return createHash('sha256')
    .update(await readFile(path.join(ROOT, 'package-lock.json')))
    .digest('hex');
}

async function version(command) {
  try {
    return /(\d+\.\d+(\.\d+)?)/.exec((await output(command, ['--version'])) ?? '')?.[1] ?? null;
  } catch (error) {
    if (error instanceof CommandFailed) {
      return null;
    }
    throw error;
  }
}

async function answers(command, args) {
  try {
    return (await output(command, args)) !== null;
  } catch (error) {
    if (error instanceof CommandFailed) {
      return false;
    }
    throw error;
  }
}

async function exists(command) {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    if (await isFile(path.join(folder, command))) {
      return true;
    }
  }
  return false;
}

async function isFile(file) {
  return access(file).then(
    () => true,
    () => false,
  );
}

function isAtLeast(found, wanted) {
  const [a, b] = [found, wanted].map((text) => (text ?? '0').split('.').map(Number));
  for (let n = 0; n < 3; n += 1) {
    if ((a[n] ?? 0) !== (b[n] ?? 0)) {
      return (a[n] ?? 0) > (b[n] ?? 0);
    }
  }
  return true;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const purpose = process.argv[2] ?? 'test';
  if (!PURPOSES.includes(purpose)) {
    console.error(`${purpose} is none of ${PURPOSES.join(', ')}`);
    process.exit(2);
  }
  try {
    await setup(purpose);
  } catch (error) {
    console.error(red(error instanceof Missing ? error.message : String(error.stack)));
    process.exit(1);
  }
}
