// STATEMENT, and the proof that it says something else than what is under the root it names.
import { base64url, concat, filled, hex, u16, u32, u64, u8 } from './bytes.mjs';
import { NOW, alice, bob, otherSwarm, swarm } from './ticket.mjs';
import { CHUNK, fill, node, path, root, row } from './tree.mjs';

const leaves = row(fill(19 * CHUNK + 5, 7));
const wrong = filled(0x66, 32);

const stated = (changes = {}) => ({
  swarm,
  track: 1,
  index: 7,
  root: root(leaves),
  chunks: leaves.length,
  first: 2,
  nonce: filled(0x99, 16),
  unix_s: NOW,
  leaves: leaves.slice(2, 5),
  ...changes,
});

const fields = (s) =>
  concat(s.swarm, u16(s.track), u32(s.index), s.root, u32(s.chunks), u32(s.first), s.nonce, u64(s.unix_s), ...s.leaves);
const sign = (s, { by = alice, context = 'swarmseal/statement/1' } = {}) =>
  concat(by.sign(context, fields(s)), fields(s));

/** The second of three hashes is wrong: chunk 3. */
const tampered = stated({ leaves: [leaves[2], wrong, leaves[4]] });

const proof = ({ key = alice.key, place = 1, leaf = leaves[3], siblings = path(leaves, 3), statement = sign(tampered) } = {}) =>
  concat(key, u8(place), u8(siblings.length), leaf, ...siblings, statement);

export function tamperingVectors() {
  const good = sign(stated());
  const most = stated({ first: 0, leaves: leaves.slice(0, 16) });
  const altered = Buffer.from(sign(tampered));
  altered[64 + 32 + 2 + 4 + 32 + 4 + 4] ^= 1;
  const last = stated({ first: 19, leaves: [wrong] });
  return {
    about:
      'Statements of senders and proofs of tampering (docs/PROTOCOL.md §14.1). Bytes are hexadecimal. `sender_seed` makes every valid statement again. `error` is the code of the check that fails first.',
    sender_seed: hex(alice.seed),
    statements: {
      valid: [
        ['three_hashes', stated()],
        ['one_hash', stated({ first: 19, leaves: leaves.slice(19) })],
        ['sixteen_hashes', most],
        ['another_swarm', stated({ swarm: otherSwarm })],
      ].map(([name, s]) => ({
        name,
        swarm: base64url(s.swarm),
        track: s.track,
        index: s.index,
        root: hex(s.root),
        chunks: s.chunks,
        first: s.first,
        nonce: hex(s.nonce),
        unix_s: s.unix_s,
        leaves: s.leaves.map(hex),
        statement: hex(sign(s)),
      })),
      invalid: [
        ['empty', Buffer.alloc(0)],
        ['cut_in_its_fields', good.subarray(0, 100)],
        ['no_hash', sign(stated({ leaves: [] }))],
        ['hash_of_31_bytes', good.subarray(0, good.length - 1)],
        ['seventeen_hashes', sign(stated({ first: 0, leaves: leaves.slice(0, 17) }))],
      ].map(([name, statement]) => ({ name, statement: hex(statement) })),
    },
    proofs: {
      valid: [
        ['second_of_three', proof()],
        ['last_chunk', proof({ place: 0, leaf: leaves[19], siblings: path(leaves, 19), statement: sign(last) })],
              [
          'object_of_one_chunk',
          proof({
            place: 0,
            leaf: leaves[0],
            siblings: [],
            statement: sign(stated({ root: leaves[0], chunks: 1, first: 0, leaves: [wrong] })),
          }),
        ],
      ].map(([name, bytes]) => ({ name, proof: hex(bytes) })),
      invalid: [
        ['empty', Buffer.alloc(0), 'malformed'],
        ['nineteen_siblings', proof({ siblings: Array.from({ length: 19 }, (_, n) => filled(n, 32)) }), 'malformed'],
        ['cut_in_its_path', proof().subarray(0, 90), 'malformed'],
        ['without_statement', proof({ statement: Buffer.alloc(0) }), 'malformed'],
        ['what_the_publisher_says', proof({ statement: good }), 'no_contradiction'],
        ['hash_that_is_not_stated', proof({ place: 3 }), 'no_contradiction'],
        ['another_chunk', proof({ place: 0 }), 'wrong_path'],
        ['another_leaf', proof({ leaf: filled(1, 32) }), 'wrong_path'],
        ['sibling_too_few', proof({ siblings: path(leaves, 3).slice(1) }), 'wrong_path'],
        ['another_root', proof({ statement: sign({ ...tampered, root: filled(2, 32) }) }), 'wrong_path'],
        ['another_number_of_chunks', proof({ statement: sign({ ...tampered, chunks: 40 }) }), 'wrong_path'],
        ['no_chunks', proof({ statement: sign({ ...tampered, chunks: 0 }) }), 'wrong_path'],
        // Against an honest statement: the node over its first two chunks, which would be leaf 0 in a tree of half as many.
        [
          'node_for_a_leaf',
          proof({
            place: 0,
            leaf: node(leaves[0], leaves[1]),
            siblings: path(leaves, 0).slice(1),
            statement: sign(most),
          }),
          'wrong_path',
        ],
        ['beyond_the_object', proof({ statement: sign({ ...tampered, first: 0xffffffff }) }), 'wrong_path'],
        ['nonce_altered', proof({ statement: altered }), 'bad_signature'],
        ['another_key', proof({ key: bob.key }), 'bad_signature'],
        ['signed_for_another_purpose', proof({ statement: sign(tampered, { context: 'swarmseal/challenge/1' }) }), 'bad_signature'],
      ].map(([name, bytes, error]) => ({ name, error, proof: hex(bytes) })),
    },
  };
}
