// The names by which the core and its glue call each other: nobody reads them, and every page downloads them twice, in the
// module and in the worker.

const [IMPORT, EXPORT] = [2, 7];
/** What the worker's own sources use of the module, beside the glue. */
const KEPT = ['memory'];

/**
 * Module and glue with names of one or two letters. What the module exports and the glue does not use, it exports no more.
 * Two modules with the same glue get the same names.
 */
export function shortNames(wasm, glue) {
  const used = [...new Set([...glue.matchAll(/\bwasm\.(\w+)/g)].map(([, name]) => name))].sort();
  const exports = numbered(used.filter((name) => !KEPT.includes(name)));
  for (const name of KEPT) exports.set(name, name);
  const imports = numbered([...glue.matchAll(/^ {8}(__wb\w+): function\(/gm)].map(([, name]) => name).sort());
  const [, from] = /"(\.\/core_bg\.js)": import0/.exec(glue) ?? [];
  if (from === undefined) throw new Error('the glue imports the core in another way than it did');
  return {
    wasm: renamed(wasm, { exports, imports, from }),
    glue: glue
      .replaceAll(/\bwasm\.(\w+)/g, (_, name) => `wasm.${exports.get(name)}`)
      .replaceAll(/^ {8}(__wb\w+): function\(/gm, (_, name) => `        ${imports.get(name)}: function(`)
      .replace(`"${from}": import0`, `${FROM}: import0`),
  };
}

/** The one module that everything is imported from. */
const FROM = 'a';

function numbered(names) {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const name = (n) =>
    n < letters.length ? letters[n] : name(Math.floor(n / letters.length) - 1) + name(n % letters.length);
  return new Map(names.map((each, n) => [each, name(n)]));
}

function renamed(wasm, { exports, imports, from }) {
  const read = new Reader(wasm, 8);
  const parts = [wasm.subarray(0, 8)];
  while (read.at < wasm.length) {
    const id = wasm[read.at++];
    const body = read.bytes();
    const inside = new Reader(body, 0);
    if (id === IMPORT) {
      parts.push(section(id, importEntries(inside, imports, from)));
    } else if (id === EXPORT) {
      parts.push(section(id, exportEntries(inside, exports)));
    } else {
      parts.push(Buffer.from([id, ...leb128(body.length)]), body);
    }
  }
  return Buffer.concat(parts);
}

function importEntries(read, names, from) {
  const FUNCTION = 0;
  return Array.from({ length: read.number() }, () => {
    const [module, name] = [read.text(), read.text()];
    const kind = read.byte();
    if (module !== from || kind !== FUNCTION || !names.has(name)) {
      throw new Error(`the glue has no function ${module} ${name}`);
    }
    return [...sized(FROM), ...sized(names.get(name)), kind, ...leb128(read.number())];
  });
}

function exportEntries(read, names) {
  const entries = Array.from({ length: read.number() }, () => {
    const [name, kind, index] = [read.text(), read.byte(), read.number()];
    return { name, kind, index };
  });
  const missing = [...names.keys()].filter((name) => !entries.some((entry) => entry.name === name));
  if (missing.length > 0) throw new Error(`the core does not export ${missing.join(', ')}`);
  return entries
    .filter(({ name }) => names.has(name))
    .map(({ name, kind, index }) => [...sized(names.get(name)), kind, ...leb128(index)]);
}

function section(id, entries) {
  const body = [...leb128(entries.length), ...entries.flat()];
  return Buffer.from([id, ...leb128(body.length), ...body]);
}

class Reader {
  constructor(buffer, at) {
    this.buffer = buffer;
    this.at = at;
  }

  byte() {
    return this.buffer[this.at++];
  }

  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  bytes() {
    const length = this.number();
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  text() {
    return this.bytes().toString('utf8');
  }
}

function sized(text) {
  const bytes = Buffer.from(text);
  return [...leb128(bytes.length), ...bytes];
}

function leb128(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb128(value >>> 7)];
}
