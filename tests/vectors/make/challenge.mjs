// Questions of a tracker, what a peer signs, and the binary messages that show its chunks.
import { base64url, concat, filled, handleOf, hex, u16, u32, u8 } from './bytes.mjs';
import { alice, bob } from './ticket.mjs';
import { CHUNK, fill, leaf, path, root, row } from './tree.mjs';

const challenge = filled(0xc4, 16);
/** Chunk 4 is short, and its path has one sibling. */
const segment = fill(4 * CHUNK + 5, 7);

const pick = (track, index, chunk) => concat(u16(track), u32(index), u16(chunk));
const signed = (question, leaves, { by = alice, handle = handleOf(by.key), id = challenge } = {}) =>
  concat(leaves, by.sign('swarmseal/challenge/1', id, handle, question, leaves));

const head = (number, siblings, id = challenge) => concat(id, u8(number), u8(siblings.length), ...siblings);

export function challengeVectors() {
  const leaves = row(segment);
  const held = [pick(1, 7, 4), pick(1, 7, 0)];
  const question = concat(...held);
  const both = concat(leaves[4], leaves[0]);
  const lacking = concat(pick(1023, 131071, 2047), held[0]);
  const none = filled(0, 32);
  const shown = (number, at, body = segment.subarray(at * CHUNK, (at + 1) * CHUNK)) =>
    concat(head(number, path(leaves, at)), body);
  const long = Array.from({ length: 12 }, (_, n) => filled(n, 32));
  return {
    seed: hex(alice.seed),
    challenge: base64url(challenge),
    segment: { length: segment.length, root: hex(root(leaves)) },
    answers: {
      valid: [
        { name: 'two_chunks', picks: [[1, 7, 4], [1, 7, 0]], question: hex(question), leaves: [hex(leaves[4]), hex(leaves[0])], answer: hex(signed(question, both)) },
        { name: 'one_of_two_not_held', picks: [[1023, 131071, 2047], [1, 7, 4]], question: hex(lacking), leaves: [hex(none), hex(leaves[4])], answer: hex(signed(lacking, concat(none, leaves[4]))) },
      ],
      invalid: [
        ['empty', question, Buffer.alloc(0)],
        ['no_leaves', question, signed(question, Buffer.alloc(0))],
        ['one_leaf_too_few', question, signed(question, leaves[4])],
        ['one_leaf_too_many', question, signed(question, concat(both, none))],
        ['another_key', question, signed(question, both, { by: bob })],
        ['another_handle', question, signed(question, both, { handle: handleOf(bob.key) })],
        ['another_challenge', question, signed(question, both, { id: filled(0xc5, 16) })],
        ['another_question', question, signed(concat(held[1], held[0]), both)],
        ['leaf_altered', question, concat(leaves[0], signed(question, both).subarray(32))],
      ].map(([name, asked, answer]) => ({ name, question: hex(asked), answer: hex(answer) })),
    },
    shown: {
      valid: [
        { name: 'short_chunk', number: 0, chunk: 4, path: path(leaves, 4).map(hex), leaf: hex(leaf(segment.subarray(4 * CHUNK))), message: hex(shown(0, 4)) },
        { name: 'no_path', number: 15, chunk: 0, path: [], leaf: hex(leaf(filled(9, 3))), message: hex(concat(head(15, []), filled(9, 3))) },
      ],
      invalid: [
        ['empty', Buffer.alloc(0)],
        ['cut_in_its_head', shown(0, 4).subarray(0, 17)],
        ['cut_in_its_path', shown(0, 4).subarray(0, 40)],
        ['no_chunk', head(0, path(leaves, 4))],
        ['twelve_siblings', concat(head(0, long), filled(1, 5))],
      ].map(([name, message]) => ({ name, message: hex(message) })),
    },
  };
}
