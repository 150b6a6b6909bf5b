// The handshake: what each side sends and signs, and every way in which a man in the middle is found out.
import { concat, fingerprintText, filled, handleOf, hex, publicText, sha256, u16, u32, u64, u8 } from './bytes.mjs';
import { alice, bob, claims, issue, mallory, NOW, otherSwarm, stranger, swarm, tracker } from './ticket.mjs';

const FP = { alice: sha256('certificate a'), bob: sha256('certificate b'), mallory: sha256('certificate m') };
const introduction = sha256('introduction').subarray(0, 16);
const roots = sha256('roots');

const side = (pair, role, nonce, local, remote, peer) => ({
  pair,
  role,
  ticket: issue(claims(pair)),
  swarm,
  introduction,
  local,
  remote,
  peer: handleOf(peer.key),
  roots,
  capabilities: 0,
  nonce: filled(nonce, 32),
  versions: [1],
});
export const offerer = side(alice, 0, 0xa0, FP.alice, FP.bob, bob);
export const answerer = side(bob, 1, 0xb0, FP.bob, FP.alice, alice);

export const hello = (s) =>
  concat(
    u8(1),
    u8(s.versions.length),
    s.versions,
    u32(s.capabilities),
    u8(s.role),
    s.swarm,
    s.introduction,
    s.local,
    s.remote,
    s.roots,
    s.nonce,
    u16(s.ticket.length),
    s.ticket,
  );

const CONTEXTS = ['swarmseal/proof/offerer/1', 'swarmseal/proof/answerer/1'];

/** What `s` signs when it has received `theirs`. */
export const transcript = (s, theirs, { version = 1, ours = hello(s), context = CONTEXTS[s.role] } = {}) => {
  const [a, b] = s.role === 0 ? [ours, theirs] : [theirs, ours];
  const [local, remote] = s.role === 0 ? [s.local, s.remote] : [s.remote, s.local];
  return concat(context, u8(version), s.swarm, s.introduction, local, remote, u16(a.length), a, u16(b.length), b);
};
export const proof = (s, theirs, options = {}) =>
  concat(u8(2), (options.by ?? s.pair).sign(transcript(s, theirs, options)));

const config = (s) => ({
  seed: hex(s.pair.seed),
  ticket: hex(s.ticket),
  role: s.role === 0 ? 'offerer' : 'answerer',
  swarm: s.swarm.toString('base64url'),
  introduction: s.introduction.toString('base64url'),
  local_fingerprint: fingerprintText(s.local),
  remote_fingerprint: fingerprintText(s.remote),
  expected_peer: s.peer.toString('base64url'),
  roots_digest: hex(s.roots),
  capabilities: s.capabilities,
  nonce: hex(s.nonce),
});

/** Each: name, the side under attack, what it receives, the verdict on the last message. */
function rejections() {
  const list = [];
  const a = offerer;
  const b = answerer;
  const refuse = (name, to, receive, error) => {
    const usual = Object.entries(config(to.role === 0 ? a : b));
    const own = config(to);
    const unlike = usual.filter(([field, value]) => own[field] !== value).map(([field]) => [field, own[field]]);
    list.push({ name, to: own.role, with: Object.fromEntries(unlike), receive: receive.map(hex), error });
  };
  const fromB = (changes) => hello({ ...b, ...changes });
  const proven = (changes = {}, options = {}) => {
    const s = { ...b, ...changes };
    return [hello(s), proof(s, hello(a), options)];
  };

  // Form.
  const plain = hello(b);
  refuse('proof_first', a, [proof(b, hello(a))], 'proof_before_hello');
  refuse('hello_twice', a, [plain, plain], 'hello_repeated');
  refuse('another_message_first', a, [u8(0x0d)], 'not_proven');
  refuse('another_message_before_proof', a, [plain, u8(0x0d)], 'not_proven');
  refuse('nothing', a, [Buffer.alloc(0)], 'not_proven');
  refuse('hello_of_1025_bytes', a, [concat(u8(1), filled(0, 1024))], 'handshake_too_large');
  refuse('hello_cut_short', a, [plain.subarray(0, -1)], 'handshake_malformed');
  refuse('hello_with_a_byte_after', a, [concat(plain, u8(0))], 'handshake_malformed');
  refuse('proof_cut_short', a, [plain, proof(b, hello(a)).subarray(0, -1)], 'handshake_malformed');
  refuse('ticket_of_513_bytes', a, [fromB({ ticket: filled(0, 513) })], 'handshake_malformed');
  refuse('no_version', a, [fromB({ versions: [] })], 'handshake_malformed');
  refuse('nine_versions', a, [fromB({ versions: [1, 2, 3, 4, 5, 6, 7, 8, 9] })], 'handshake_malformed');
  refuse('versions_out_of_order', a, [fromB({ versions: [2, 1] })], 'handshake_malformed');
  refuse('unknown_role', a, [fromB({ role: 2 })], 'handshake_malformed');

  // Fields that differ from one's own view.
  refuse('only_a_later_version', a, [fromB({ versions: [2] })], 'unsupported_version');
  refuse('another_swarm', a, [fromB({ swarm: otherSwarm })], 'wrong_swarm');
  refuse('another_introduction', a, [fromB({ introduction: filled(9, 16) })], 'wrong_introduction');
  refuse('same_role', a, [fromB({ role: 0 })], 'wrong_role');
  refuse('reflected', a, [hello(a)], 'wrong_role');
  refuse('reflected_with_role_flipped', a, [hello({ ...a, role: 1 })], 'equal_nonces');
  refuse(
    'reflected_with_role_and_nonce_changed',
    a,
    [hello({ ...a, role: 1, nonce: filled(1, 32), local: a.remote, remote: a.local })],
    'equal_keys',
  );
  refuse('equal_nonces', a, [fromB({ nonce: a.nonce })], 'equal_nonces');
  refuse('introduced_to_itself', { ...a, peer: handleOf(alice.key) }, [plain], 'own_handle');
  refuse('another_peer_with_a_good_ticket', a, [fromB({ ticket: issue(claims(mallory)) })], 'wrong_handle');

  // Tickets.
  const ticket = (name, sealed, error) => refuse(name, a, [fromB({ ticket: sealed })], error);
  ticket('no_ticket', Buffer.alloc(0), 'ticket_malformed');
  ticket('ticket_expired', issue(claims(bob, { issued: NOW - 700, expires: NOW - 100 })), 'ticket_expired');
  ticket('ticket_not_yet_valid', issue(claims(bob, { issued: NOW + 100, expires: NOW + 200 })), 'ticket_not_yet_valid');
  ticket('ticket_of_another_swarm', issue(claims(bob, { swarm: otherSwarm })), 'ticket_wrong_swarm');
  ticket('ticket_by_another_tracker', issue(claims(bob), stranger), 'ticket_untrusted_tracker');
  const forged = Buffer.from(b.ticket);
  forged[forged.length - 1] ^= 1;
  ticket('ticket_forged', forged, 'ticket_bad_signature');

  // A man in the middle swaps certificates: M ends both DTLS connections.
  const told = { ...a, remote: FP.mallory };
  refuse('swapped_towards_offerer', told, [plain], 'wrong_remote_fingerprint');
  const claimed = { ...b, local: FP.mallory };
  refuse('swapped_towards_offerer_hello_altered', told, [hello(claimed), proof(b, hello(told))], 'bad_proof');
  refuse('swapped_towards_answerer', a, [fromB({ remote: FP.mallory })], 'wrong_local_fingerprint');
  refuse(
    'swapped_towards_answerer_hello_altered',
    a,
    [plain, proof({ ...b, remote: FP.mallory }, hello(a))],
    'bad_proof',
  );
  refuse('swapped_both', told, [fromB({ remote: FP.mallory })], 'wrong_remote_fingerprint');
  refuse(
    'swapped_both_hellos_altered',
    told,
    [hello(claimed), proof({ ...b, remote: FP.mallory }, hello({ ...a, local: FP.mallory }))],
    'bad_proof',
  );

  // Signatures made for something else.
  const bad = (name, messages) => refuse(name, a, messages, 'bad_proof');
  bad('signed_by_another_key', proven({}, { by: mallory }));
  bad('signed_under_the_other_role', proven({}, { context: CONTEXTS[0] }));
  bad('own_proof_reflected', [plain, proof(a, plain)]);
  bad('replayed_from_an_earlier_nonce', [plain, proof(b, hello({ ...a, nonce: filled(7, 32) }))]);
  bad('replayed_from_another_introduction', [plain, proof({ ...b, introduction: filled(9, 16) }, hello(a))]);
  bad('replayed_from_another_swarm', [plain, proof({ ...b, swarm: otherSwarm }, hello(a))]);
  bad('downgraded_own_offer', [plain, proof({ ...b, versions: [1, 2] }, hello(a))]);
  bad('downgraded_peer_offer', [plain, proof(b, hello({ ...a, versions: [1, 2] }))]);
  bad('another_version_agreed', proven({}, { version: 2 }));
  bad('capabilities_altered', [plain, proof({ ...b, capabilities: 1 }, hello(a))]);
  bad('roots_digest_altered', [plain, proof({ ...b, roots: sha256('other roots') }, hello(a))]);
  bad('older_ticket_shown', [plain, proof({ ...b, ticket: issue(claims(bob, { issued: NOW - 101 })) }, hello(a))]);
  const flipped = proof(b, hello(a));
  flipped[flipped.length - 1] ^= 1;
  bad('signature_bit_flipped', [plain, flipped]);
  bad('signature_of_zeros', [plain, concat(u8(2), filled(0, 64))]);
  refuse('anything_after_a_fault', a, [fromB({ swarm: otherSwarm }), plain], 'handshake_ended');

  // The other side checks the same.
  refuse('to_answerer_same_role', b, [hello({ ...a, role: 1 })], 'wrong_role');
  refuse('to_answerer_swapped', { ...b, remote: FP.mallory }, [hello(a)], 'wrong_remote_fingerprint');
  refuse('to_answerer_signed_under_the_other_role', b, [hello(a), proof(a, plain, { context: CONTEXTS[1] })], 'bad_proof');
  return list;
}

const tracks = [
  [1, sha256('root 1')],
  [2, sha256('root 2')],
  [1000, sha256('root 1000')],
];

export function handshakeVectors() {
  const [fromA, fromB] = [hello(offerer), hello(answerer)];
  const seed = filled(0x5e, 32);
  return {
    about: 'The handshake (docs/PROTOCOL.md, "Handshake"). Bytes are hexadecimal unless they have a text form.',
    wall: { unix_s: NOW, uncertainty_s: 0 },
    tracker_keys: [publicText(tracker.key)],
    valid: {
      offerer: {
        config: config(offerer),
        hello: hex(fromA),
        signed: hex(transcript(offerer, fromB)),
        proof: hex(proof(offerer, fromB)),
      },
      answerer: {
        config: config(answerer),
        hello: hex(fromB),
        signed: hex(transcript(answerer, fromA)),
        proof: hex(proof(answerer, fromA)),
      },
    },
    invalid: rejections(),
    derived: {
      handles: [alice, bob].map(({ key }) => ({ key: publicText(key), handle: base(handleOf(key)) })),
      ranks: [0, 1, 1n << 63n].map((epoch) => {
        const election = filled(0xe1, 16);
        const rank = sha256('swarmseal/rank/1', election, roots, u64(epoch)).readBigUInt64BE();
        return { election: hex(election), root: hex(roots), epoch: `${epoch}`, rank: `${rank}` };
      }),
      roots_digests: [[], tracks.slice(0, 1), tracks].map((list) => ({
        roots: list.map(([track, root]) => [track, hex(root)]),
        digest: hex(sha256('swarmseal/roots/1', ...list.flatMap(([track, root]) => [u16(track), root]))),
      })),
      drbg: {
        seed: hex(seed),
        first_64_bytes: hex(concat(...[0, 1].map((i) => sha256('swarmseal/drbg/1', seed, u64(i))))),
      },
    },
  };
}

const base = (bytes) => bytes.toString('base64url');
