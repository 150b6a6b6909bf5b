// `npm run build`: the core as wasm, the npm package in pkg/, the demo page in .work/demo.

import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import webpack from 'webpack';

import { DEMO, demoBundle, packageBundles } from '../webpack.config.js';
import { PKG, ROOT, TARGET } from './lib/paths.mjs';
import { output, run } from './lib/run.mjs';
import { seconds, step } from './lib/say.mjs';
import { byColumns } from './lib/wasm-columns.mjs';
import { SMALL, WASM, bindings, wasmOpt } from './lib/wasm-core.mjs';
import { namedByResemblance } from './lib/wasm-order.mjs';

const FONT = '@fontsource-variable/instrument-sans/files/instrument-sans-latin-wght-normal.woff2';
const WWW = path.join(ROOT, 'www');
/**
 * What wasm-bindgen writes: the core and its glue, which the worker's sources import. The core that follows live contents
 * too lies beside it, with the same glue: a page downloads the one that it needs.
 */
const CORE = path.join(WWW, 'core');
const LIVE_CORE = path.join(WWW, 'core-live');
const WASM_FILES = { 'core_bg.wasm': CORE, 'core-live_bg.wasm': LIVE_CORE };

await timed('live core', () => buildCore(LIVE_CORE, ['--features', 'standalone']));
await timed('core', () => buildCore(CORE, ['--no-default-features', '--features', 'standalone']));
await sameGlue();
await timed('package', buildPackage);
await timed('demo page', buildDemo);

async function buildCore(folder, features) {
  const wasm = path.join(folder, 'core_bg.wasm');
  const profile = ['--profile', 'wasm', '--lib', '--package', 'swarmseal', '--target', WASM];
  await run('cargo', ['build', '--quiet', ...profile, ...features], {
    env: { RUSTFLAGS: (await rustFlags()).join(' ') },
  });
  const built = path.join(TARGET, WASM, 'wasm', 'swarmseal.wasm');
  if (!(await changed(built, folder))) return;
  await rm(folder, { recursive: true, force: true });
  await bindings(built, folder);
  await wasmOpt(wasm, ['--strip-debug', ...SMALL]);
  await writeFile(wasm, namedByResemblance(await readFile(wasm)));
  await wasmOpt(wasm, ['--quiet', '--reorder-functions-by-name']);
  await writeFile(path.join(folder, 'built-from'), await digest(built));
}

/** The worker has one glue for both. */
async function sameGlue() {
  const [plain, live] = await Promise.all(
    [CORE, LIVE_CORE].map((folder) => readFile(path.join(folder, 'core.js'), 'utf8')),
  );
  if (plain !== live)
    throw new Error('the two cores want different glue: they must export the same functions');
}

async function rustFlags() {
  const cargo = process.env.CARGO_HOME ?? path.join(homedir(), '.cargo');
  const rust = (await output('rustc', ['--print', 'sysroot'])).trim();
  const registry = path.join(cargo, 'registry', 'src');
  const sources = (await readdir(registry)).map((name) => path.join(registry, name));
  return [
    // The same bytes on every machine, and nothing in them about this one.
    ...[
      ...[`${ROOT}=.`, `${cargo}=cargo`, `${rust}=rust`],
      ...sources.map((folder) => `${folder}=cargo`),
    ].map((mapped) => `--remap-path-prefix=${mapped}`),
    // Rounds in a loop: as fast in wasm as unrolled, and a fifth of the code.
    '--cfg sha2_backend_soft="compact"',
    // Between what opt-level "z" inlines (5) and "s" (50): both are more bytes after compression.
    '-Cllvm-args=-inline-threshold=12',
    // Addresses that are computed where they are used compress better than one more running pointer for each loop, and
    // fewer jumps better than jumps to jumps.
    ...['-disable-lsr', '-jump-threading-threshold=12'].map((each) => `-Cllvm-args=${each}`),
  ];
}

async function buildPackage() {
  await mkdir(PKG, { recursive: true });
  await emptyPackage();
  await Promise.all([
    bundle(packageBundles),
    run('node_modules/.bin/tsc', ['--project', 'tsconfig.types.json']),
    ...Object.entries(WASM_FILES).map(async ([name, folder]) =>
      writeFile(path.join(PKG, name), byColumns(await readFile(path.join(folder, 'core_bg.wasm')))),
    ),
    copyFile(path.join(WWW, 'package.json'), path.join(PKG, 'package.json')),
    ...['LICENSE-APACHE', 'LICENSE-MIT'].map((name) => copyFile(path.join(ROOT, name), path.join(PKG, name))),
  ]);
}

async function buildDemo() {
  await rm(DEMO, { recursive: true, force: true });
  await mkdir(DEMO, { recursive: true });
  const source = path.join(WWW, 'demo');
  const plain = (await readdir(source)).filter((name) => /\.(html|css|svg)$/.test(name));
  await Promise.all([
    bundle(demoBundle),
    ...plain.map((name) => copyFile(path.join(source, name), path.join(DEMO, name))),
    ...['worker.js', ...Object.keys(WASM_FILES)].map((name) =>
      copyFile(path.join(PKG, name), path.join(DEMO, name)),
    ),
    copyFile(path.join(ROOT, 'node_modules', FONT), path.join(DEMO, path.basename(FONT))),
    cp(path.join(ROOT, 'docs', 'results'), path.join(DEMO, 'results'), { recursive: true }),
  ]);
}

/** Whether the core, or how it is made, differs from the last time; wasm-opt takes a while. */
async function changed(built, folder) {
  const last = await readFile(path.join(folder, 'built-from'), 'utf8').catch(() => null);
  return last !== (await digest(built));
}

async function digest(file) {
  const how = ['core', 'glue', 'names', 'order'].map(
    (each) => new URL(`lib/wasm-${each}.mjs`, import.meta.url),
  );
  const hash = createHash('sha256');
  for (const each of [...how, file]) hash.update(await readFile(each));
  return hash.digest('hex');
}

/** pkg/ is all built, but for what git keeps there. */
async function emptyPackage() {
  for (const name of await readdir(PKG)) {
    if (name !== 'README.md') await rm(path.join(PKG, name), { recursive: true });
  }
}

async function bundle(configuration) {
  const stats = await new Promise((resolve, reject) => {
    webpack(configuration, (error, result) => (error ? reject(error) : resolve(result)));
  });
  if (stats.hasErrors() || stats.hasWarnings()) {
    throw new Error(stats.toString({ preset: 'errors-warnings', colors: process.stdout.isTTY }));
  }
}

async function timed(what, task) {
  const from = Date.now();
  await task();
  step(`${what}: ${seconds(Date.now() - from)}`);
}
