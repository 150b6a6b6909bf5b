// The core as a page downloads it: see www/src/worker/columns.ts, which puts it together again.

import {
  BRANCH_TABLE,
  BY_NEXT,
  COLUMNS,
  Column,
  F64_CONST,
  MEMORY_COPY,
  OPERANDS,
  PREFIXED,
  assembled,
} from '../../www/src/worker/columns.js';
import { functionBodies } from './wasm-order.mjs';
import { inSymbols, inverted } from './wasm-symbols.mjs';

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
  const { opcodes, symbols } = inSymbols(bodies.map((body) => takeApart(body, columns)));
  columns[Column.Opcode] = opcodes;
  columns[Column.Symbols] = [...symbols];
  return columns;
}

/** Adds the operands to their columns; the operation codes are what is returned. */
function takeApart(body, columns) {
  let at = 0;
  const bytes = (column, count) => {
    columns[column].push(...body.subarray(at, at + count));
    at += count;
  };
  const number = (column) => {
    const start = at;
    let value = 0;
    for (let byte = 0x80; byte >= 0x80; at += 1) {
      byte = body[at];
      value |= (byte & 0x7f) << (7 * (at - start));
    }
    // A constant is never the last of a body.
    const place =
      column === Column.I32 || column === Column.I64
        ? column * BY_NEXT + (inverted(body[at]) % BY_NEXT)
        : column;
    columns[place].push(...body.subarray(start, at));
    return value;
  };
  const numbers = (column, count) => {
    for (let left = count; left > 0; left -= 1) number(column);
  };
  numbers(Column.Locals, 2 * number(Column.Locals));
  const opcodes = [];
  while (at < body.length) {
    const code = body[at];
    opcodes.push(code);
    at += 1;
    const [, , ...operands] = OPERANDS.find(([from, to]) => from <= code && code <= to) ?? [];
    const operand = operands.map(number).at(-1);
    if (code === BRANCH_TABLE) numbers(Column.Branch, operand + 1);
    if (code === F64_CONST) bytes(Column.Other, 8);
    if (code === PREFIXED && operand >= MEMORY_COPY) numbers(Column.Other, operand === MEMORY_COPY ? 2 : 1);
  }
  return opcodes;
}

function inCustomSection(head, columns) {
  const CUSTOM = 0;
  const name = 'columns';
  const length = columns.reduce((sum, column) => sum + column.length, 1 + name.length + 4 * COLUMNS);
  columns[Column.Head] = [...head, CUSTOM, ...leb128(length), name.length, ...Buffer.from(name)];
  const lengths = Buffer.alloc(4 * COLUMNS);
  columns.forEach((column, index) => lengths.writeUInt32LE(column.length, 4 * index));
  return Buffer.concat([...columns.map((column) => Buffer.from(column)), lengths]);
}

function leb128(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb128(value >>> 7)];
}
