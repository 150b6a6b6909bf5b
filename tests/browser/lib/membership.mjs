// What somebody who takes part in a swarm knows and can make: keys, tickets, HELLO and PROOF, from docs/PROTOCOL.md alone.
// Nothing of swarmseal is used, so an attacker made of this shares no mistake with those whom it attacks.

import { createHash, createHmac, createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto';

// Of a PKCS #8 private key that is Ed25519 (RFC 8410); the 32 bytes of its seed follow.
const PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex');
const KEY_LENGTH = 32;
const LIFETIME_S = 600;

/** What a manifest says about its swarm (§4, §9): {content, secret, swarm}. */
export function swarmOf(sealed) {
  // Keys 1 to 3 of the payload, whose form is fixed: format 1, content id, swarm secret.
  const at = sealed.indexOf(Buffer.from('01010250', 'hex'));
  const [id, next] = [at + 4, at + 20];
  if (at === -1 || sealed.subarray(next, next + 3).toString('hex') !== '035820') {
    throw new Error('this is not a manifest');
  }
  const [content, secret] = [sealed.subarray(id, next), sealed.subarray(next + 3, next + 35)];
  const swarm = createHmac('sha256', secret).update('swarmseal/swarm/1').update(content).digest();
  return { content, secret, swarm };
}

/** An Ed25519 key, made anew or of this seed. */
export class SigningKey {
  #private;

  constructor(seed = randomBytes(KEY_LENGTH)) {
    this.#private = createPrivateKey({ key: Buffer.concat([PRIVATE, seed]), format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(this.#private).export({ format: 'der', type: 'spki' });
    this.publicKey = spki.subarray(-KEY_LENGTH);
  }

  /** The key in a file of `swarmseal keygen`. */
  static ofFile(text) {
    const [, seed] = /ed25519-secret:([\w-]{43})/.exec(text);
    return new SigningKey(Buffer.from(seed, 'base64url'));
  }

  sign(...parts) {
    return sign(null, Buffer.concat(parts.map((part) => Buffer.from(part))), this.#private);
  }

  /** Of the peer whose key this is (§9). */
  get handle() {
    return createHash('sha256').update('swarmseal/handle/1').update(this.publicKey).digest().subarray(0, 16);
  }
}

/** A ticket (§10), signed by `tracker`, for this key and swarm; its times are Unix seconds. */
export function ticketOf(tracker, { key, swarm, issued, lifetime = LIFETIME_S }) {
  const cnf = new Map([
    [
      1,
      new Map([
        [1, 1],
        [-1, 6],
        [-2, key],
      ]),
    ],
  ]);
  const payload = cbor(
    new Map([
      [4, issued + lifetime],
      [6, issued],
      [8, cnf],
      [-65537, swarm],
      [-65538, 0],
      [-65539, randomBytes(16)],
      [-65540, 64],
      [-65541, 30],
      [-65542, Buffer.alloc(0)],
    ]),
  );
  const keyId = createHash('sha256').update(tracker.publicKey).digest().subarray(0, 8);
  const header = cbor(
    new Map([
      [1, -8],
      [4, keyId],
    ]),
  );
  const signature = tracker.sign(cbor(['Signature1', header, Buffer.from('swarmseal/tracker/1'), payload]));
  return Buffer.concat([Buffer.from([0xd2]), cbor([header, new Map(), payload, signature])]);
}

/** A tracker's word that these handles are out (§10, Revocation). */
export function revocationOf(tracker, { swarm, until, handles }) {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(until));
  const fields = Buffer.concat([swarm, time, ...handles]);
  return Buffer.concat([tracker.sign('swarmseal/revocation/1', fields), fields]);
}

/** The fields of a HELLO (§13), or null if this is none. */
export function readHello(bytes) {
  if (bytes[0] !== 1) return null;
  let at = 2 + bytes[1];
  const take = (length) => bytes.subarray(at, (at += length));
  return {
    versions: bytes.subarray(2, at),
    capabilities: take(4),
    role: take(1)[0],
    swarm: take(32),
    introduction: take(16),
    own: take(32),
    peer: take(32),
    digest: take(32),
    nonce: take(32),
    ticket: bytes.subarray(at + 2),
  };
}

/** A HELLO with these fields. */
export function writeHello({
  versions,
  capabilities,
  role,
  swarm,
  introduction,
  own,
  peer,
  digest,
  nonce,
  ticket,
}) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(ticket.length);
  const head = Buffer.from([1, versions.length, ...versions]);
  return Buffer.concat([
    ...[
      head,
      capabilities,
      Buffer.from([role]),
      swarm,
      introduction,
      own,
      peer,
      digest,
      nonce,
      length,
      ticket,
    ],
  ]);
}

/** The PROOF that the holder of `key` gives: `hellos` and `fingerprints` are those of [offerer, answerer]. */
export function proofOf(key, { role, swarm, introduction, fingerprints, hellos }) {
  const lengths = hellos.map((hello) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(hello.length);
    return length;
  });
  const context = `swarmseal/proof/${['offerer', 'answerer'][role]}/1`;
  const signature = key.sign(
    ...[context, [1], swarm, introduction, ...fingerprints],
    ...[lengths[0], hellos[0], lengths[1], hellos[1]],
  );
  return Buffer.concat([Buffer.from([2]), signature]);
}

// Deterministic as long as the keys of maps come in their order.
function cbor(item) {
  if (typeof item === 'number') return item < 0 ? head(1, -1 - item) : head(0, item);
  if (typeof item === 'string') return Buffer.concat([head(3, item.length), Buffer.from(item)]);
  if (item instanceof Map) {
    return Buffer.concat([
      head(5, item.size),
      ...[...item].flatMap(([key, value]) => [cbor(key), cbor(value)]),
    ]);
  }
  if (Array.isArray(item)) return Buffer.concat([head(4, item.length), ...item.map(cbor)]);
  return Buffer.concat([head(2, item.length), item]);
}

function head(major, value) {
  const kind = major << 5;
  if (value < 24) return Buffer.from([kind | value]);
  const [more, width] = value < 2 ** 8 ? [24, 1] : value < 2 ** 16 ? [25, 2] : [26, 4];
  const bytes = Buffer.alloc(1 + width);
  bytes[0] = kind | more;
  bytes.writeUIntBE(value, 1, width);
  return bytes;
}
