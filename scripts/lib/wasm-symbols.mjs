// Bytes for operation codes that brotli compresses best: see www/src/worker/columns.ts, which turns them back.
//
// What follows each other often becomes one byte. And which byte means what is chosen for the sake of brotli's contexts: it
// knows of the byte before only in which of eight ranges it lies, and expects something else after each range. So those
// after which the same is to be expected share a range.

/** How many pairs get a byte of their own: of 16 to 150 that were tried the number that compressed best. */
const PAIRS = 64;
/** How many operation codes a byte stands for at most: they are one number for who puts them back. */
const MOST = 4;
/** Where brotli's ranges begin (RFC 7932, section 7.1, `CONTEXT_SIGNED`). */
const RANGES = [0, 1, 16, 64, 128, 192, 240, 255];
const END = 256;

/**
 * What `functions`, each a list of operation codes, are in symbols; and what each of 256 symbols means: up to four codes,
 * filled up with 0.
 */
export function inSymbols(functions) {
  const { rows, meanings } = paired(functions);
  const sequence = rows.flat();
  const bytes = bytesFor(sequence, meanings.length);
  const symbols = new Uint8Array(256 * MOST);
  meanings.forEach((codes, symbol) => symbols.set(codes.map(inverted), MOST * bytes[symbol]));
  return { opcodes: sequence.map((symbol) => bytes[symbol]), symbols };
}

/** No operation has the code 255, so none is 0. */
export function inverted(code) {
  return 255 - code;
}

/** Numbers from 0 for what occurs, with the most frequent pairs joined one after the other. */
function paired(functions) {
  const meanings = [...new Set(functions.flat())].sort((one, other) => one - other).map((code) => [code]);
  const number = new Map(meanings.map(([code], at) => [code, at]));
  let rows = functions.map((row) => row.map((code) => number.get(code)));
  for (let count = 0; count < PAIRS; count += 1) {
    const pair = mostFrequent(rows, meanings);
    if (pair === undefined) break;
    rows = rows.map((row) => joined(row, pair, meanings.length));
    meanings.push(pair.flatMap((symbol) => meanings[symbol]));
  }
  return { rows, meanings };
}

function mostFrequent(rows, meanings) {
  const counts = new Map();
  for (const row of rows) {
    for (let at = 1; at < row.length; at += 1) {
      const pair = row[at - 1] * END + row[at];
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
  }
  const [best] = [...counts]
    .map(([pair, count]) => [[Math.floor(pair / END), pair % END], count])
    .filter(([pair]) => pair.flatMap((symbol) => meanings[symbol]).length <= MOST)
    .reduce((one, other) => (other[1] > one[1] ? other : one), [undefined, 1]);
  return best;
}

function joined(row, [one, two], symbol) {
  const result = [];
  for (let at = 0; at < row.length; at += 1) {
    const both = row[at] === one && row[at + 1] === two;
    result.push(both ? symbol : row[at]);
    if (both) at += 1;
  }
  return result;
}

/** A byte for each of `count` symbols; a search that ends where no move and no exchange between two ranges helps. */
function bytesFor(sequence, count) {
  const room = RANGES.map((start, range) => (RANGES[range + 1] ?? END) - start);
  const follows = Array.from({ length: count }, () => new Float64Array(count));
  sequence.forEach((symbol, at) => {
    if (at > 0) follows[sequence[at - 1]][symbol] += 1;
  });
  const total = follows.map((row) => row.reduce((sum, each) => sum + each, 0));
  const byFrequency = total.map((_, symbol) => symbol).sort((one, other) => total[other] - total[one]);

  const rangeOf = new Array(count);
  const used = room.map(() => 0);
  byFrequency.forEach((symbol, place) => {
    let range = place % RANGES.length;
    while (used[range] >= room[range]) range = (range + 1) % RANGES.length;
    rangeOf[symbol] = range;
    used[range] += 1;
  });
  const after = RANGES.map((_, range) => {
    const sum = new Float64Array(count);
    rangeOf.forEach((each, symbol) => {
      if (each === range) add(sum, follows[symbol], 1);
    });
    return sum;
  });
  const bits = after.map(bitsOf);

  /** Whether it is better that `symbol` and `other`, if any, change places; then it is so. */
  const better = (symbol, to, other) => {
    const from = rangeOf[symbol];
    const change = Float64Array.from(follows[symbol]);
    if (other !== undefined) add(change, follows[other], -1);
    const [less, more] = [Float64Array.from(after[from]), Float64Array.from(after[to])];
    add(less, change, -1);
    add(more, change, 1);
    const [bitsFrom, bitsTo] = [bitsOf(less), bitsOf(more)];
    if (bitsFrom + bitsTo >= bits[from] + bits[to] - 1e-6) return false;
    [after[from], after[to], bits[from], bits[to]] = [less, more, bitsFrom, bitsTo];
    rangeOf[symbol] = to;
    if (other === undefined) {
      used[from] -= 1;
      used[to] += 1;
    } else {
      rangeOf[other] = from;
    }
    return true;
  };
  let found = true;
  while (found) {
    found = false;
    for (const symbol of byFrequency) {
      for (const range of RANGES.keys()) {
        if (range !== rangeOf[symbol] && used[range] < room[range]) {
          found = better(symbol, range) || found;
        }
      }
      for (const other of byFrequency) {
        if (rangeOf[symbol] !== rangeOf[other]) found = better(symbol, rangeOf[other], other) || found;
      }
    }
  }
  const next = [...RANGES];
  return rangeOf.map((range) => next[range]++);
}

function add(sum, counts, sign) {
  for (let at = 0; at < sum.length; at += 1) sum[at] += sign * counts[at];
}

/** How many bits all that was counted takes if each has as few as its frequency allows. */
function bitsOf(counts) {
  let sum = 0;
  let bits = 0;
  for (const count of counts) {
    if (count === 0) continue;
    sum += count;
    bits -= count * Math.log2(count);
  }
  return sum === 0 ? 0 : bits + sum * Math.log2(sum);
}
