// The hash tree, written down from RFC 9162 §2.1.
import { concat, hex, sha256, u8, u32 } from './bytes.mjs';

export const CHUNK = 16_384;
export const leaf = (data) => sha256(u8(0), data);
export const node = (left, right) => sha256(u8(1), left, right);

/** The largest power of two below `count`. */
const split = (count) => 2 ** Math.floor(Math.log2(count - 1));

export function root(leaves) {
  if (leaves.length === 0) return sha256('');
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return node(root(leaves.slice(0, k)), root(leaves.slice(k)));
}

export function path(leaves, index) {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...path(leaves.slice(0, k), index), root(leaves.slice(k))]
    : [...path(leaves.slice(k), index - k), root(leaves.slice(0, k))];
}

/** The bytes of a test object: byte i is (i * 31 + seed) mod 251. */
export function fill(length, seed) {
  const out = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) out[i] = (i * 31 + seed) % 251;
  return out;
}

export function row(data) {
  const leaves = [];
  for (let at = 0; at < data.length; at += CHUNK) leaves.push(leaf(data.subarray(at, at + CHUNK)));
  return leaves;
}

const numbered = (count) => Array.from({ length: count }, (_, i) => leaf(u32(i)));

export function treeVectors() {
  const powers = [1, 2, 4, 8, 16, 32];
  const around = powers.flatMap((chunks) => [chunks - 1, chunks, chunks + 1].map((n) => n * CHUNK));
  const lengths = new Set([0, 1, ...around.flatMap((length) => [length - 1, length, length + 1])]);
  const objects = [...lengths]
    .filter((length) => length >= 0)
    .sort((a, b) => a - b)
    .map((length, at) => {
      const leaves = row(fill(length, at));
      return {
        length,
        seed: at,
        chunks: leaves.length,
        root: hex(root(leaves)),
        row: hex(sha256(...leaves)),
      };
    });
  const counts = new Set([64, 128, 256, 512, 1024, 2048].flatMap((count) => [count - 1, count, count + 1]));
  const trees = [...counts].map((leaves) => ({ leaves, root: hex(root(numbered(leaves))) }));
  const paths = [1, 2, 3, 4, 5, 7, 8, 9, 13].flatMap((leaves) =>
    [...new Set([0, 1, leaves >> 1, leaves - 2, leaves - 1])]
      .filter((index) => index >= 0 && index < leaves)
      .map((index) => ({ leaves, index, path: path(numbered(leaves), index).map(hex) })),
  );
  const five = path(numbered(5), 2).map(hex);
  const invalid_paths = [
    { name: 'another_position', leaves: 5, index: 1, leaf: 2, path: five },
    { name: 'another_leaf', leaves: 5, index: 2, leaf: 1, path: five },
    { name: 'one_step_short', leaves: 5, index: 2, leaf: 2, path: five.slice(0, -1) },
    { name: 'one_step_long', leaves: 5, index: 2, leaf: 2, path: [...five, five[0]] },
    { name: 'steps_swapped', leaves: 5, index: 2, leaf: 2, path: [five[1], five[0], five[2]] },
    { name: 'position_past_the_end', leaves: 5, index: 5, leaf: 4, path: path(numbered(5), 4).map(hex) },
    {
      name: 'an_inner_node_as_a_leaf',
      leaves: 2,
      index: 0,
      data: hex(concat(u8(1), ...numbered(2))),
      path: [],
    },
  ];
  return {
    about:
      'The hash tree (docs/PROTOCOL.md §2). Objects: byte i is (i * 31 + seed) mod 251, `row` is SHA-256 over their leaf hashes. Trees and paths: leaf i is the leaf hash of i as four bytes, big-endian; invalid paths are judged against the root of such a tree.',
    objects,
    trees,
    paths,
    invalid_paths,
  };
}
