// Signed objects: the COSE_Sign1 profile, one refusal for each of its rules.
import { cbor, concat, filled, hex, keyPair, publicText, seal, sha256, u8 } from './bytes.mjs';

const publisher = keyPair(filled(0x51, 32));
const second = keyPair(filled(0x52, 32));
const stranger = keyPair(filled(0x53, 32));
const ROLES = ['manifest', 'live', 'tracker', 'freshness', 'endorse'];
const context = (role) => `swarmseal/${role}/1`;
const PAYLOAD = cbor.map([cbor.int(1), cbor.int(2)], [cbor.int(3), cbor.text('é')]);

/** Order of the base point (RFC 8032 §5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const header = (pair, algorithm = cbor.int(-8)) =>
  cbor.map([cbor.int(1), algorithm], [cbor.int(4), cbor.bytes(sha256(pair.key).subarray(0, 8))]);

/** Seals any parts, well-formed or not, with a signature that is right for them. */
function assemble(
  pair,
  { protectedHeader = header(pair), unprotected = cbor.map(), payload = PAYLOAD, mend } = {},
) {
  const signed = cbor.array(
    cbor.text('Signature1'),
    cbor.bytes(protectedHeader),
    cbor.bytes(Buffer.from(context('manifest'))),
    cbor.bytes(payload),
  );
  const signature = (mend ?? ((made) => made))(pair.sign(signed));
  const items = [cbor.bytes(protectedHeader), unprotected, cbor.bytes(payload), cbor.bytes(signature)];
  return cbor.tag(18, cbor.array(...items));
}

/** The same signature with S + L: equal modulo the order, and another encoding. */
function malleable(signature) {
  let s = 0n;
  for (let i = 63; i >= 32; i -= 1) s = (s << 8n) | BigInt(signature[i]);
  s += L;
  const out = Buffer.from(signature);
  for (let i = 32; i < 64; i += 1, s >>= 8n) out[i] = Number(s & 255n);
  return out;
}

export function signedVectors() {
  const trusted = [publisher, second];
  const good = seal(context('manifest'), publisher, PAYLOAD);
  const flipped = (at) => {
    const out = Buffer.from(good);
    out[at < 0 ? out.length + at : at] ^= 1;
    return out;
  };
  const identity = { key: concat(u8(1), filled(0, 31)), sign: () => concat(u8(1), filled(0, 63)) };
  const nested = (depth) => concat(filled(0x81, depth), u8(0));
  const valid = [
    ['first_key', 'manifest', publisher, PAYLOAD],
    ['second_key', 'manifest', second, PAYLOAD],
    ['null_payload', 'manifest', publisher, u8(0xf6)],
    ['deepest_payload', 'manifest', publisher, nested(8)],
    ['ticket_role', 'tracker', publisher, PAYLOAD],
    ['reserved_live', 'live', publisher, PAYLOAD],
    ['reserved_freshness', 'freshness', publisher, PAYLOAD],
    ['reserved_endorse', 'endorse', publisher, PAYLOAD],
  ].map(([name, role, pair, payload]) => ({
    name,
    role,
    signer: publicText(pair.key),
    payload: hex(payload),
    sealed: [hex(seal(context(role), pair, payload))],
  }));
  const loose = (payload) => assemble(publisher, { payload });
  const invalid = [
    ...ROLES.filter((role) => role !== 'manifest').map((role) => [
      `role_${role}_as_manifest`,
      'bad_signature',
      seal(context(role), publisher, PAYLOAD),
    ]),
    ['no_context', 'bad_signature', seal('', publisher, PAYLOAD)],
    ['key_not_trusted', 'untrusted_key', seal(context('manifest'), stranger, PAYLOAD)],
    ['key_id_of_another_key', 'bad_signature', assemble(publisher, { protectedHeader: header(second) })],
    ['signature_altered', 'bad_signature', flipped(-1)],
    ['payload_altered', 'bad_signature', flipped(good.indexOf(PAYLOAD) + 2)],
    ['signature_not_canonical', 'bad_signature', assemble(publisher, { mend: malleable })],
    ['signature_short', 'malformed', assemble(publisher, { mend: (made) => made.subarray(1) })],
    ['key_of_small_order', 'bad_signature', assemble(identity), [publicKeyHex(identity)]],
    ['empty', 'malformed', Buffer.alloc(0)],
    ['cut', 'malformed', good.subarray(0, -1)],
    ['trailing_byte', 'malformed', concat(good, u8(0))],
    ['without_tag', 'malformed', good.subarray(1)],
    ['tag_of_another_type', 'malformed', concat(u8(0xd1), good.subarray(1))],
    [
      'detached_payload',
      'malformed',
      cbor.tag(
        18,
        cbor.array(cbor.bytes(header(publisher)), cbor.map(), u8(0xf6), cbor.bytes(filled(0, 64))),
      ),
    ],
    [
      'three_items',
      'malformed',
      cbor.tag(18, cbor.array(cbor.bytes(header(publisher)), cbor.map(), cbor.bytes(PAYLOAD))),
    ],
    ['tag_written_long', 'not_deterministic', concat(Buffer.from('d812', 'hex'), good.subarray(1))],
    [
      'envelope_of_indefinite_length',
      'not_deterministic',
      concat(Buffer.from('d29f', 'hex'), good.subarray(2), u8(0xff)),
    ],
    ['nothing_but_tags', 'too_deep', filled(0xd2, 64)],
    [
      'unprotected_key_id',
      'unprotected_header',
      assemble(publisher, { unprotected: cbor.map([cbor.int(4), cbor.bytes(filled(1, 8))]) }),
    ],
    [
      'no_algorithm',
      'protected_header',
      assemble(publisher, { protectedHeader: cbor.map([cbor.int(4), cbor.bytes(filled(1, 8))]) }),
    ],
    [
      'content_type_in_header',
      'protected_header',
      assemble(publisher, {
        protectedHeader: cbor.map([cbor.int(1), cbor.int(-8)], [cbor.int(3), cbor.int(0)]),
      }),
    ],
    [
      'third_header',
      'protected_header',
      assemble(publisher, {
        protectedHeader: cbor.map(
          [cbor.int(1), cbor.int(-8)],
          [cbor.int(3), cbor.int(0)],
          [cbor.int(4), cbor.bytes(filled(1, 8))],
        ),
      }),
    ],
    [
      'algorithm_es256',
      'wrong_algorithm',
      assemble(publisher, { protectedHeader: header(publisher, cbor.int(-7)) }),
    ],
    [
      'key_id_short',
      'malformed',
      assemble(publisher, {
        protectedHeader: cbor.map([cbor.int(1), cbor.int(-8)], [cbor.int(4), cbor.bytes(filled(1, 7))]),
      }),
    ],
    [
      'header_not_deterministic',
      'not_deterministic',
      assemble(publisher, { protectedHeader: Buffer.from('a201380704480102030405060708', 'hex') }),
    ],
    ['number_written_long', 'not_deterministic', loose(Buffer.from('a1180102', 'hex'))],
    ['keys_not_sorted', 'not_deterministic', loose(Buffer.from('a203000100', 'hex'))],
    ['key_twice', 'not_deterministic', loose(Buffer.from('a201000100', 'hex'))],
    ['text_of_indefinite_length', 'not_deterministic', loose(Buffer.from('7f6161ff', 'hex'))],
    ['two_items', 'malformed', loose(Buffer.from('0102', 'hex'))],
    ['floating_point', 'malformed', loose(Buffer.from('f90000', 'hex'))],
    ['undefined', 'malformed', loose(Buffer.from('f7', 'hex'))],
    ['text_not_utf8', 'malformed', loose(Buffer.from('61ff', 'hex'))],
    ['more_items_than_bytes', 'malformed', loose(Buffer.from('9affffffff', 'hex'))],
    ['string_longer_than_input', 'malformed', loose(Buffer.from('5bffffffffffffffff', 'hex'))],
    ['payload_too_deep', 'too_deep', loose(nested(9))],
  ].map(([name, error, sealed, keys]) => ({ name, error, ...(keys && { keys }), sealed: [hex(sealed)] }));
  invalid.push({ name: 'larger_than_64_kib', error: 'too_large', sealed: ['d284', ['00', 65_535]] });
  return {
    about:
      'Signed objects (docs/PROTOCOL.md §3). Bytes are parts: hexadecimal, or a run [byte, times]. Invalid ones are judged in the role manifest under `keys` (of the vector, or of the file). Names that begin with reserved_ stand for roles that no object uses yet.',
    keys: trusted.map((pair) => hex(pair.key)),
    seeds: trusted.map((pair) => hex(pair.seed)),
    valid,
    invalid,
  };
}

function publicKeyHex(pair) {
  return hex(pair.key);
}
