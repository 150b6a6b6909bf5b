// Tickets: a CWT in a COSE_Sign1, valid ones and one for each way to be refused.
import { base64url, cbor, concat, filled, handleOf, hex, keyPair, publicText, seal, sha256, u64 } from './bytes.mjs';

export const tracker = keyPair(filled(0x71, 32));
export const stranger = keyPair(filled(0x72, 32));
export const alice = keyPair(filled(0x11, 32));
export const bob = keyPair(filled(0x22, 32));
export const mallory = keyPair(filled(0x33, 32));
export const swarm = sha256('a swarm');
export const otherSwarm = sha256('another swarm');
export const NOW = 1_800_000_000;

export const claims = (pair, changes = {}) => ({
  key: pair.key,
  swarm,
  class: 0,
  issued: NOW - 100,
  expires: NOW + 500,
  election: sha256('election', pair.key).subarray(0, 16),
  connections: 40,
  budget: 300,
  tag: Buffer.alloc(0),
  ...changes,
});

const coseKey = (key) =>
  cbor.map([cbor.int(1), cbor.int(1)], [cbor.int(-1), cbor.int(6)], [cbor.int(-2), cbor.bytes(key)]);

const entries = (c) => [
  [cbor.int(4), cbor.int(c.expires)],
  [cbor.int(6), cbor.int(c.issued)],
  [cbor.int(8), cbor.map([cbor.int(1), coseKey(c.key)])],
  [cbor.int(-65537), cbor.bytes(c.swarm)],
  [cbor.int(-65538), cbor.int(c.class)],
  [cbor.int(-65539), cbor.bytes(c.election)],
  [cbor.int(-65540), cbor.int(c.connections)],
  [cbor.int(-65541), cbor.int(c.budget)],
  [cbor.int(-65542), cbor.bytes(c.tag)],
];

const CONTEXT = 'swarmseal/tracker/1';
export const issue = (c, by = tracker) => seal(CONTEXT, by, cbor.map(...entries(c)));

const describe = (c) => ({
  key: publicText(c.key),
  handle: handleOf(c.key).toString('base64url'),
  swarm: c.swarm.toString('base64url'),
  class: c.class === 0 ? 'user' : 'network',
  issued: c.issued,
  expires: c.expires,
  election: hex(c.election),
  connections: c.connections,
  budget: c.budget,
  admission_tag: hex(c.tag),
});

function revocations() {
  const context = Buffer.from('swarmseal/revocation/1');
  const fields = (handles) => concat(swarm, u64(NOW + 3600), ...handles);
  const signed = (by, handles, before = context) =>
    concat(by.sign(concat(before, fields(handles))), fields(handles));
  const one = [filled(0xa1, 16)];
  const many = Array.from({ length: 64 }, (_, n) => filled(n, 16));
  const good = signed(tracker, one);
  const altered = Buffer.from(good);
  altered[altered.length - 1] ^= 1;
  const valid = [
    ['one_handle', one],
    ['64_handles', many],
    ['no_handle', []],
  ].map(([name, handles]) => ({
    name,
    swarm: base64url(swarm),
    until: NOW + 3600,
    handles: handles.map(base64url),
    statement: hex(signed(tracker, handles)),
  }));
  const invalid = [
    ['empty', Buffer.alloc(0)],
    ['signature_alone', good.subarray(0, 64)],
    ['65_handles', signed(tracker, [...many, ...one])],
    ['handle_of_15_bytes', signed(tracker, [filled(1, 15)])],
    ['handle_altered', altered],
    ['without_context', signed(tracker, one, Buffer.alloc(0))],
    ['another_tracker', signed(stranger, one)],
  ].map(([name, statement]) => ({ name, statement: hex(statement) }));
  return { valid, invalid };
}

export function ticketVectors() {
  const wall = { unix_s: NOW, uncertainty_s: 0 };
  const valid = [
    ['plain', claims(alice)],
    ['network_peer_with_admission_tag', claims(bob, { class: 1, tag: filled(0xee, 64) })],
    ['longest_lifetime', claims(alice, { issued: NOW, expires: NOW + 600 })],
    ['numbers_at_their_ends', claims(alice, { connections: 65535, budget: 4294967295 })],
    ['expired_within_tolerance', claims(alice, { issued: NOW - 600, expires: NOW - 59 })],
    ['issued_ahead_within_tolerance', claims(alice, { issued: NOW + 60, expires: NOW + 600 })],
  ].map(([name, c]) => ({ name, wall, claims: describe(c), sealed: hex(issue(c)) }));
  valid.push({
    name: 'expired_within_what_the_clock_is_off',
    wall: { unix_s: NOW, uncertainty_s: 300 },
    claims: describe(claims(alice, { issued: NOW - 900, expires: NOW - 359 })),
    sealed: hex(issue(claims(alice, { issued: NOW - 900, expires: NOW - 359 }))),
  });

  const good = issue(claims(alice));
  const flipped = Buffer.from(good);
  flipped[flipped.length - 1] ^= 1;
  const altered = Buffer.from(good);
  altered[altered.indexOf(swarm)] ^= 1;
  const list = entries(claims(alice));
  const swapped = [list[1], list[0], ...list.slice(2)];
  const invalid = [
    ['empty', Buffer.alloc(0), 'ticket_malformed'],
    ['cut_short', good.subarray(0, -1), 'ticket_malformed'],
    ['byte_after', concat(good, Buffer.from([0])), 'ticket_malformed'],
    ['longer_than_512', filled(0, 513), 'ticket_too_large'],
    ['not_deterministic', seal(CONTEXT, tracker, cbor.map(...swapped)), 'ticket_malformed'],
    ['claim_missing', seal(CONTEXT, tracker, cbor.map(...list.slice(0, 8))), 'ticket_malformed'],
    [
      'claim_unknown',
      seal(CONTEXT, tracker, cbor.map(...list, [cbor.int(-65543), cbor.int(0)])),
      'ticket_malformed',
    ],
    ['unprotected_header', seal(CONTEXT, tracker, cbor.map(...list), { unprotected: cbor.map([cbor.int(4), cbor.bytes(Buffer.from('x'))]) }), 'ticket_malformed'],
    ['admission_tag_of_65_bytes', issue(claims(alice, { tag: filled(1, 65) })), 'ticket_malformed'],
    ['connections_over_16_bits', issue(claims(alice, { connections: 65536 })), 'ticket_malformed'],
    ['expires_before_issued', issue(claims(alice, { issued: NOW, expires: NOW - 1 })), 'ticket_malformed'],
    ['unknown_class', issue(claims(alice, { class: 2 })), 'ticket_unknown_class'],
    ['lifetime_of_601_s', issue(claims(alice, { issued: NOW, expires: NOW + 601 })), 'ticket_lifetime_too_long'],
    ['another_tracker', issue(claims(alice), stranger), 'ticket_untrusted_tracker'],
    ['another_role', seal('swarmseal/manifest/1', tracker, cbor.map(...list)), 'ticket_bad_signature'],
    ['signature_bit_flipped', flipped, 'ticket_bad_signature'],
    ['swarm_bit_flipped', altered, 'ticket_bad_signature'],
    ['expired', issue(claims(alice, { issued: NOW - 600, expires: NOW - 60 })), 'ticket_expired'],
    ['from_the_future', issue(claims(alice, { issued: NOW + 61, expires: NOW + 600 })), 'ticket_not_yet_valid'],
  ].map(([name, sealed, error]) => ({ name, wall, sealed: hex(sealed), error }));
  return {
    revocations: revocations(),
    about: 'Tickets and revocations (docs/PROTOCOL.md, "Ticket"). Bytes are hexadecimal. `issuer_seed` makes every valid one again.',
    issuer_seed: hex(tracker.seed),
    tracker_keys: [publicText(tracker.key)],
    valid,
    invalid,
  };
}
