// `npm run size:report`: what of the core is how many bytes of the download, after `npm run build`. With a word, as in
// `npm run size:report -- swarm::engine`, the single functions whose names have it.
//
// A group's brotli figure is what the code becomes smaller without it: what resembles something else costs little, so
// the figures of all groups together are less than the whole.

import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

import { TARGET, WORK } from './lib/paths.mjs';
import { columnsOf } from './lib/wasm-columns.mjs';
import { SMALL, WASM, bindings, wasmOpt } from './lib/wasm-core.mjs';
import { functionBodies } from './lib/wasm-order.mjs';

/** Groups of fewer bytes of code are not worth a line. */
const LEAST = 500;

const folder = path.join(WORK, 'size-report');
await mkdir(folder, { recursive: true });
const file = await bindings(path.join(TARGET, WASM, 'wasm', 'swarmseal.wasm'), folder);
await wasmOpt(file, ['-g', ...SMALL]);
const wasm = await readFile(file);
const names = functionNames(wasm);
const functions = functionBodies(wasm).map((code, at) => ({ code, name: names[at] ?? 'unnamed' }));

const wanted = process.argv[2];
if (wanted) {
  for (const { code, name } of functions.toSorted((one, other) => other.code.length - one.code.length)) {
    if (name.includes(wanted)) console.log(`${String(code.length).padStart(8)}  ${name}`);
  }
} else {
  const whole = compressed(functions);
  console.log('  brotli     code  functions');
  const groups = new Map();
  for (const one of functions) {
    const name = group(one.name);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  const rows = [...groups]
    .map(([name, members]) => ({ name, members, length: length(members) }))
    .filter((row) => row.length >= LEAST)
    .map((row) => ({
      ...row,
      cost: whole - compressed(functions.filter((one) => !row.members.includes(one))),
    }))
    .sort((one, other) => other.cost - one.cost);
  for (const { name, members, cost, length } of rows) line(cost, length, members.length, name);
  line(whole, length(functions), functions.length, 'all');
}

function line(cost, length, count, name) {
  console.log(
    `${String(cost).padStart(8)} ${String(length).padStart(8)} ${String(count).padStart(10)}  ${name}`,
  );
}

function length(members) {
  return members.reduce((sum, { code }) => sum + code.length, 0);
}

function compressed(members) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  // As a page downloads it.
  const columns = columnsOf(members.map(({ code }) => code));
  return brotliCompressSync(Buffer.from(columns.flat()), { params }).length;
}

/** The module a function is from; for ours, the file. What a trait gives every type is the trait's. */
function group(name) {
  const [, type, trait] = /^<(.+?) as (.+)>::/.exec(name) ?? [null, name];
  const owner = (type.includes('::') ? type : (trait ?? type)).replaceAll(/\[[0-9a-f]+\]/g, '');
  const parts = owner.replace(/^[<&*[]+/, '').split(/::|</);
  return parts.slice(0, parts[0] === 'swarmseal' ? 3 : 2).join('::');
}

/** By index, without those that are imported. */
function functionNames(wasm) {
  const module = new WebAssembly.Module(wasm);
  const imported = WebAssembly.Module.imports(module).filter(({ kind }) => kind === 'function').length;
  const [section] = WebAssembly.Module.customSections(module, 'name');
  const bytes = Buffer.from(section);
  let at = 0;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const text = () => {
    const size = number();
    at += size;
    return bytes.toString('utf8', at - size, at);
  };
  const FUNCTIONS = 1;
  while (at < bytes.length) {
    const kind = bytes[at++];
    const end = number() + at;
    if (kind === FUNCTIONS) {
      const found = Array.from({ length: number() }, () => [number() - imported, text()]);
      return Object.fromEntries(found);
    }
    at = end;
  }
  throw new Error('this module has no names');
}
