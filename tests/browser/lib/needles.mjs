// The search for what must not be seen, in whatever form it may be written: as it is, escaped, in hexadecimal, in base64 at
// each of three places, and hashed.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { ROOT } from '../../../scripts/lib/paths.mjs';

// Shorter ones turn up by chance in what is encrypted.
const SHORTEST = 6;
const WINDOW = 16;
const EVERY = 512;
// What has fewer different bytes is padding, and says nothing.
const DISTINCT = 9;

/** The twelve kinds of identity that the tests of the core plant as well: [{kind, text}]. */
export async function canaries() {
  const source = await readFile(path.join(ROOT, 'tests', 'hostile', 'canary.rs'), 'utf8');
  const found = [...source.matchAll(/kind: "([^"]+)",\s+text: "([^"]+)"/g)];
  return found.map(([, kind, text]) => ({ kind, text }));
}

/** Ways to write `bytes`: [form, bytes]. */
export function forms(bytes) {
  const hash = createHash('sha256').update(bytes).digest();
  const escaped = Buffer.from(encodeURIComponent(bytes.toString('latin1')));
  const all = [
    ['plain', bytes],
    ['escaped', escaped],
    ['hexadecimal', Buffer.from(bytes.toString('hex'))],
    ['hexadecimal in capitals', Buffer.from(bytes.toString('hex').toUpperCase())],
    ...inBase64(bytes),
    ['SHA-256', hash],
    ['SHA-256 in hexadecimal', Buffer.from(hash.toString('hex'))],
    ['SHA-256 in base64', Buffer.from(hash.toString('base64url'))],
  ];
  return all.filter(([form, written]) => form === 'plain' || !written.equals(bytes));
}

// In base64 a text looks different at each of three places; its first and last digits depend on its neighbours.
function inBase64(bytes) {
  return [0, 1, 2].flatMap((before) => {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
    const [first, last] = [Math.ceil((before * 8) / 6), Math.floor((shifted.length * 8) / 6)];
    const digits = ['base64', 'base64url'].map((encoding) => shifted.toString(encoding).slice(first, last));
    return [...new Set(digits)].map((text) => [`base64 at ${before}`, Buffer.from(text)]);
  });
}

/** Things to look for, many at a time. */
export class Needles {
  #present = new Uint8Array(2 ** 21);
  #byStart = new Map();
  count = 0;

  /** Everything that `bytes` may look like is `name` from now on. */
  add(name, bytes) {
    for (const [form, written] of forms(bytes)) {
      this.#put(name, form, written);
    }
    return this;
  }

  /** Sequences out of a file, close enough together that every packet with a part of it holds one. */
  addContent(name, file) {
    for (let at = 0; at + WINDOW <= file.length; at += EVERY) {
      const window = file.subarray(at, at + WINDOW);
      if (new Set(window).size >= DISTINCT) {
        this.#put(name, 'plain', window);
        this.#put(name, 'hexadecimal', Buffer.from(window.toString('hex')));
        for (const [form, written] of inBase64(window)) this.#put(name, form, written);
      }
    }
    return this;
  }

  /** What is in `haystack`: how often, by `name: form`. */
  find(haystack) {
    const hits = new Map();
    for (let at = 0; at + SHORTEST <= haystack.length; at += 1) {
      const start = haystack[at] | (haystack[at + 1] << 8) | (haystack[at + 2] << 16);
      if (((this.#present[start >> 3] >> (start & 7)) & 1) === 0) continue;
      for (const { label, bytes } of this.#byStart.get(start)) {
        const end = at + bytes.length;
        if (end <= haystack.length && bytes.compare(haystack, at, end) === 0) {
          hits.set(label, (hits.get(label) ?? 0) + 1);
        }
      }
    }
    return hits;
  }

  #put(name, form, bytes) {
    if (bytes.length < SHORTEST) {
      throw new Error(`${name}, ${form}: too short to be looked for`);
    }
    const start = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
    this.#present[start >> 3] |= 1 << (start & 7);
    const known = this.#byStart.get(start) ?? [];
    known.push({ label: `${name}: ${form}`, bytes });
    this.#byStart.set(start, known);
    this.count += 1;
  }
}
