/**
 * The core as a page downloads it: the parts of its instructions apart from each other. All operation codes follow each
 * other, then all indices of locals, all addresses and so on; each kind resembles its own, and the whole compresses a
 * sixth better. The file is a wasm module with nothing but one custom section, so that servers treat it as any module:
 * its columns, and at the end how long each is. `scripts/lib/wasm-columns.mjs` makes it, and compares what comes back.
 *
 * It runs once, before the JavaScript engine has compiled it: what looks simpler here takes twice as long.
 */

/** What a column holds, in the order of the file: of the orders that were tried the one that compressed best. */
export enum Column {
  /** What makes a module of the file. */
  Head,
  /** Constants are many columns each, by the operation that follows: what is added, compared or handed over differs. */
  I32,
  I64,
  Prefixed,
  Align,
  Load,
  Store,
  Call,
  /** What follows the last function's body, as it is in the module. */
  After,
  /** How many kinds of locals a body has, and each kind: how many and what. */
  Locals,
  Branch,
  Block,
  /** Types, globals, memories, tables, numbers with a point: there are few of each. */
  Other,
  Local,
  /** And what precedes the first one's. */
  Before,
  /** What each byte of the next column means: up to four operation codes, the first one first, each taken from 255. */
  Symbols,
  /** Operation codes. */
  Opcode,
}

/** How many columns a kind of constants has: the last bits of what stands for the operation choose one. */
export const BY_NEXT = 64;
/** The columns before this one are constants. */
const CONSTANTS = Column.I64 + 1;
/** How long each column is is said at the end of the file, in 32 bits, little-endian as wasm and every machine that runs it. */
export const COLUMNS = CONSTANTS * BY_NEXT;

/** First and last operation code, and the numbers in LEB128 that follow the code. */
export const OPERANDS: [first: number, last: number, one: Column, two?: Column][] = [
  [0x02, 0x04, Column.Block],
  [0x0c, 0x0e, Column.Branch],
  [0x10, 0x10, Column.Call],
  [0x11, 0x11, Column.Other, Column.Other],
  [0x20, 0x22, Column.Local],
  [0x23, 0x26, Column.Other],
  [0x28, 0x35, Column.Align, Column.Load],
  [0x36, 0x3e, Column.Align, Column.Store],
  [0x3f, 0x40, Column.Other],
  [0x41, 0x41, Column.I32],
  [0x42, 0x42, Column.I64],
  [0xfc, 0xfc, Column.Prefixed],
];
/** The last that opens a block, of those that have operands. */
export const IF = 0x04;
export const END = 0x0b;
/** Its operand says how many branches follow, before the default. */
export const BRANCH_TABLE = 0x0e;
export const F64_CONST = 0x44;
export const PREFIXED = 0xfc;
/** Of the prefixed operations, those before it convert numbers; it names two memories, those after it one of something. */
export const MEMORY_COPY = 10;

/** One column in each four bits; none is `Head`. */
const operands = new Uint8Array(256);
for (const [first, last, one, two = 0] of OPERANDS) operands.fill(one | (two << 4), first, last + 1);

/** The module that `file` holds; of what is no such file, an error or something that no compiler takes. */
export function assembled(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const at = new Uint32Array(new Uint8Array(file.subarray(-4 * COLUMNS)).buffer);
  let total = 0;
  at.forEach((length, column) => {
    at[column] = total;
    total += length;
  });
  const meanings = new Uint32Array(
    new Uint8Array(file.subarray(at[Column.Symbols], at[Column.Opcode])).buffer,
  );
  const after = file.subarray(at[Column.After], at[Column.After + 1]);
  const afterOpcodes = at[Column.Opcode + 1] ?? 0;

  // A body is two bytes at least, and its length takes three at most.
  const module = new Uint8Array(3 * file.length);
  module.set(file.subarray(at[Column.Before], at[Column.Symbols]));
  let end = (at[Column.Symbols] ?? 0) - (at[Column.Before] ?? 0);
  while ((at[Column.Opcode] ?? 0) < afterOpcodes) {
    const start = end;
    end = moveBody(file, meanings, at, module, start);
    const length = leb128(end - start);
    module.copyWithin(start + length.length, start, end);
    module.set(length, start);
    end += length.length;
  }
  module.set(after, end);
  return module.subarray(0, end + after.length);
}

/** Moves one body to `start`, and returns where it ends. */
function moveBody(
  file: Uint8Array,
  meanings: Uint32Array,
  at: Uint32Array,
  module: Uint8Array,
  start: number,
): number {
  const groups = file[at[Column.Locals] ?? 0] ?? 0;
  let end = moveNumbers(file, at, Column.Locals, 1 + 2 * groups, module, start);
  let opcode = at[Column.Opcode] ?? 0;
  let codes = 0;
  let depth = 1;
  do {
    if (codes === 0) codes = meanings[file[opcode++] ?? 0] ?? 0;
    const code = ~codes & 255;
    codes >>>= 8;
    module[end++] = code;
    let columns = operands[code] ?? 0;
    if (columns > 0) {
      let operand;
      do {
        let column = columns & 15;
        if (column < CONSTANTS) {
          if (codes === 0) codes = meanings[file[opcode++] ?? 0] ?? 0;
          column = column * BY_NEXT + (codes & (BY_NEXT - 1));
        }
        let from = at[column] ?? 0;
        let byte = file[from++] ?? 0;
        module[end++] = byte;
        operand = byte;
        for (let shift = 7; byte >= 0x80; shift += 7) {
          byte = file[from++] ?? 0;
          module[end++] = byte;
          // One less for the mark of the byte before, that more follows.
          operand += (byte - 1) << shift;
        }
        at[column] = from;
        columns >>= 4;
      } while (columns > 0);
      if (code <= IF) depth += 1;
      else if (code === BRANCH_TABLE) end = moveNumbers(file, at, Column.Branch, operand + 1, module, end);
      else if (code === PREFIXED && operand >= MEMORY_COPY) {
        end = moveNumbers(file, at, Column.Other, operand === MEMORY_COPY ? 2 : 1, module, end);
      }
    } else if (code === END) {
      depth -= 1;
    } else if (code === F64_CONST) {
      const from = at[Column.Other] ?? 0;
      at[Column.Other] = from + 8;
      module.set(file.subarray(from, from + 8), end);
      end += 8;
    }
  } while (depth > 0 && end < module.length);
  at[Column.Opcode] = opcode;
  return end;
}

function moveNumbers(
  file: Uint8Array,
  at: Uint32Array,
  column: Column,
  count: number,
  module: Uint8Array,
  start: number,
): number {
  let from = at[column] ?? 0;
  let end = start;
  for (let left = count; left > 0 && end < module.length;) {
    const byte = file[from++] ?? 0;
    module[end++] = byte;
    if (byte < 0x80) left -= 1;
  }
  at[column] = from;
  return end;
}

function leb128(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb128(value >>> 7)];
}
