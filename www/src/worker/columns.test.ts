import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { assembled } from './columns.js';

const cores = [
  { packed: '../../../pkg/core_bg.wasm', plain: '../../core/core_bg.wasm' },
  { packed: '../../../pkg/core-live_bg.wasm', plain: '../../core-live/core_bg.wasm' },
];

for (const { packed, plain } of cores) {
  test(`${packed} is a module of its own, and holds ${plain}`, () => {
    const file = bytes(packed);
    assert(WebAssembly.validate(new Uint8Array(file)));
    assert(bytes(plain).equals(assembled(file)));
  });
}

test('a file anywhere in a larger buffer is read', () => {
  const file = bytes('../../../pkg/core_bg.wasm');
  const larger = new Uint8Array(file.length + 7);
  larger.set(file, 3);
  assert(bytes('../../core/core_bg.wasm').equals(assembled(larger.subarray(3, 3 + file.length))));
});

test('what is no such file is refused, at once or by the compiler', () => {
  const file = bytes('../../../pkg/core_bg.wasm');
  const refused = [
    new Uint8Array(0),
    new TextEncoder().encode('<!doctype html><title>Not found</title>'.repeat(9)),
    bytes('../../core/core_bg.wasm'),
    file.subarray(0, file.length - 1),
    file.subarray(0, file.length / 2),
  ];
  for (const [at, each] of refused.entries()) {
    assert.throws(() => new WebAssembly.Module(assembled(each)), `${at} was taken for a core`);
  }
});

function bytes(name: string): Buffer {
  return readFileSync(new URL(name, import.meta.url));
}
