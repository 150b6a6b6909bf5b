// The core as a page downloads it: see www/src/worker/columns.ts, which puts it together again.

import {
  BRANCH_TABLE,
  COLUMNS,
  Column,
  F64_CONST,
  MEMORY_COPY,
  OPERANDS,
  PREFIXED,
  assembled,
} from '../../www/src/worker/columns.js';
import { functionBodies } from './wasm-order.mjs';

/** The module's bytes by columns, as the one custom section of a module. */
export function byColumns(wasm) {
  const bodies = functionBodies(wasm);
  const columns = columnsOf(bodies);
  const [first, last] = [bodies[0], bodies.at(-1)].map((body) => body.byteOffset - wasm.byteOffset);
  columns[Column.Before] = wasm.subarray(0, first - leb128(bodies[0].length).length);
  columns[Column.After] = wasm.subarray(last + bodies.at(-1).length);
  const file = inCustomSection(wasm.subarray(0, 8), columns);
  if (!wasm.equals(assembled(file))) {
    throw new Error('the core is another one after it was taken apart: what does columns.ts not know?');
  }
  return file;
}

/** The bytes of functions, each kind for itself. */
export function columnsOf(bodies) {
  const columns = Array.from({ length: COLUMNS }, () => []);
  for (const body of bodies) takeApart(body, columns);
  return columns;
}

function takeApart(body, columns) {
  let at = 0;
  const bytes = (column, count) => {
    columns[column].push(...body.subarray(at, at + count));
    at += count;
  };
  const number = (column) => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[at];
      bytes(column, 1);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const numbers = (column, count) => {
    for (let left = count; left > 0; left -= 1) number(column);
  };
  numbers(Column.Locals, 2 * number(Column.Locals));
  while (at < body.length) {
    const code = body[at];
    bytes(Column.Opcode, 1);
    const [, , ...operands] = OPERANDS.find(([from, to]) => from <= code && code <= to) ?? [];
    const operand = operands.map(number).at(-1);
    if (code === BRANCH_TABLE) numbers(Column.Branch, operand + 1);
    if (code === F64_CONST) bytes(Column.Opcode, 8);
    if (code === PREFIXED && operand >= MEMORY_COPY) numbers(Column.Other, operand === MEMORY_COPY ? 2 : 1);
  }
}

function inCustomSection(head, columns) {
  const CUSTOM = 0;
  const name = 'columns';
  const length = columns.reduce((sum, column) => sum + column.length, 1 + name.length + 4 * COLUMNS);
  const start = Buffer.concat([
    head,
    Buffer.from([CUSTOM, ...leb128(length), name.length]),
    Buffer.from(name),
  ]);
  const table = Buffer.alloc(4 * COLUMNS);
  columns.reduce((at, column, index) => {
    table.writeUInt32LE(at, 4 * index);
    return at + column.length;
  }, start.length);
  return Buffer.concat([start, ...columns.map((column) => Buffer.from(column)), table]);
}

function leb128(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb128(value >>> 7)];
}
