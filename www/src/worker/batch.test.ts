import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { readBatch } from './batch.js';

interface Record {
  name: string;
  bytes: string;
  output: { type: string };
}

const { records } = JSON.parse(readFileSync(new URL('testdata/batch.json', import.meta.url), 'utf8')) as {
  records: Record[];
};

test('every kind of record reads as what the core packed', () => {
  for (const { name, bytes, output } of records) {
    const [read] = readBatch(fromHex(`${bytes}0000`));
    assert.deepEqual(inText(read), output, name);
  }
});

test('records follow each other up to idle', () => {
  const busy = records.filter(({ output }) => output.type !== 'idle');
  const bytes = [...busy.map((record) => record.bytes), '0000'].join('');
  const read = readBatch(fromHex(bytes));
  assert.deepEqual(
    read.map(({ type }) => type),
    [...busy.map(({ output }) => output.type), 'idle'],
  );
});

test('a record of another build is refused', () => {
  assert.throws(() => readBatch(fromHex('ff')), /not of one build/);
});

function inText(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, inner: unknown) =>
      inner instanceof Uint8Array ? Buffer.from(inner).toString('hex') : inner,
    ),
  );
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
