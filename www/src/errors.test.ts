import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Whatever is built, and tests, which have codes of their own. */
const NOT_OURS = /(^|\/)(tests?|core|core-live)(\/|$)|\.test\.ts$|(^|\/)tests?\.rs$/;

const docs = ['README.md', ...files('docs', '.md')].map(text).join('\n');
const rust = ['src', 'server/src', 'tracker/src'].flatMap((folder) => files(folder, '.rs')).map(text);
const typescript = files('www/src', '.ts').map(text);

for (const [what, codes] of [
  ['the core, the commands and the services', rust.flatMap(codesOfRust)],
  ['the rules between peers', rust.flatMap((source) => all(source, /\bblame\(\s*\w+,\s*"([a-z_]+)"/g))],
  ['the package', typescript.flatMap(codesOfTypescript)],
] as const) {
  test(`every code of ${what} is in a document`, () => {
    const undocumented = [...new Set(codes)].filter((code) => !docs.includes(`\`${code}\``));
    assert(codes.length > 10, 'the codes are written in another way than this test knows');
    assert.deepEqual(undocumented, [], 'say in docs/ERRORS.md what it means and what to do');
  });
}

/** What functions named `code` return, what commands fail with, and what is logged. */
function codesOfRust(source: string): string[] {
  const returned = source
    .split(/\bfn code\(/)
    .slice(1)
    .map((rest) => rest.slice(0, /\n {4}\}\n/.exec(rest)?.index))
    .filter((body) => /^[^{]*&'static str/.test(body))
    .flatMap((body) => all(body, /"([a-z0-9_]+)"/g));
  return [
    ...returned,
    ...all(source, /\bFailure::new\(\s*"([a-z_]+)"/g),
    ...all(source, /\bcode(?: =|:) "([a-z_]+)"/g),
  ];
}

/** Codes as they are thrown or posted, and those that have a name. */
function codesOfTypescript(source: string): string[] {
  const named = all(source, /\bSwarmsealError\(\s*([A-Z_]+)\b/g).flatMap((name) =>
    all(source, new RegExp(`\\bconst ${name} = '([a-z_]+)'`, 'g')),
  );
  return [
    ...named,
    ...all(source, /\bSwarmsealError\(\s*'([a-z_]+)'/g),
    ...all(source, /\bcode: '([a-z_]+)'/g),
  ];
}

function all(source: string, pattern: RegExp): string[] {
  return [...source.matchAll(pattern)].map(([, found = '']) => found);
}

function files(folder: string, extension: string): string[] {
  return readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension) && !NOT_OURS.test(name))
    .map((name) => `${folder}/${name}`);
}

function text(name: string): string {
  return readFileSync(`${ROOT}${name}`, 'utf8');
}
