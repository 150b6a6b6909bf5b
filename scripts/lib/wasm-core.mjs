// How the core becomes what a page loads, once it is compiled.

import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { run } from './run.mjs';
import { leanGlue } from './wasm-glue.mjs';
import { shortNames } from './wasm-names.mjs';

export const WASM = 'wasm32-unknown-unknown';
/** What every browser with module workers has; `--all-features` would use proposals that they refuse. */
const FEATURES = [
  'bulk-memory',
  'bulk-memory-opt',
  'multivalue',
  'mutable-globals',
  'nontrapping-float-to-int',
  'reference-types',
  'sign-ext',
].map((name) => `--enable-${name}`);
/**
 * Large functions stay apart, and no access says how it is aligned (engines do not look): both are more bytes, but fewer
 * after compression. Nothing of ours lies below address 1024, where the stack would have run over.
 */
export const SMALL = [
  ...[
    '--strip-producers',
    '--strip-target-features',
    '--low-memory-unused',
    '--one-caller-inline-max-function-size=10',
  ],
  ...['-Oz', '--flatten', '--rereloop', '-Oz', '--flatten', '--rereloop', '-Oz', '-Oz', '--dealign'],
];

/** The core and its JavaScript side, as `core_bg.wasm` and `core.js` in `folder`. */
export async function bindings(built, folder) {
  await run('wasm-bindgen', [
    ...[
      '--target',
      'web',
      '--omit-default-module-path',
      '--encode-into',
      'always',
      '--out-dir',
      folder,
      '--out-name',
      'core',
    ],
    built,
  ]);
  const [wasm, glue] = ['core_bg.wasm', 'core.js'].map((name) => path.join(folder, name));
  const short = shortNames(await readFile(wasm), leanGlue(await readFile(glue, 'utf8')));
  await Promise.all([writeFile(wasm, short.wasm), writeFile(glue, short.glue)]);
  return wasm;
}

/** In place. */
export async function wasmOpt(file, passes) {
  await run('node_modules/.bin/wasm-opt', [...FEATURES, ...passes, file, '-o', `${file}.small`]);
  await rename(`${file}.small`, file);
}
