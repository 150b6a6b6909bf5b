// The few primitives that the vectors are made of, on node's own crypto: nothing here comes from the Rust code.
import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';

export const concat = (...parts) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
export const u8 = (value) => Buffer.from([value]);
export const u16 = (value) => {
  const out = Buffer.alloc(2);
  out.writeUInt16BE(value);
  return out;
};
export const u32 = (value) => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};
export const u64 = (value) => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
};
export const filled = (value, length) => Buffer.alloc(length, value);
export const sha256 = (...parts) => createHash('sha256').update(concat(...parts)).digest();
export const hmac = (secret, ...parts) => createHmac('sha256', secret).update(concat(...parts)).digest();
export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const base64url = (bytes) => Buffer.from(bytes).toString('base64url');
export const fingerprintText = (bytes) => hex(bytes).toUpperCase().match(/../g).join(':');

/** An Ed25519 key pair from its 32-byte seed (RFC 8032 §5.1.5). */
export function keyPair(seed) {
  const der = concat(Buffer.from('302e020100300506032b657004220420', 'hex'), seed);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const key = Buffer.from(createPublicKey(secret).export({ format: 'jwk' }).x, 'base64url');
  return { seed, key, sign: (...parts) => sign(null, concat(...parts), secret) };
}

/** The first 16 bytes of the hash of a public key. */
export const handleOf = (key) => sha256('swarmseal/handle/1', key).subarray(0, 16);
export const publicText = (key) => `ed25519:${base64url(key)}`;

const head = (major, value) => {
  const type = major << 5;
  if (value < 24) return u8(type | value);
  if (value < 0x100) return concat(u8(type | 24), u8(value));
  if (value < 0x10000) return concat(u8(type | 25), u16(value));
  if (value < 0x100000000) return concat(u8(type | 26), u32(value));
  return concat(u8(type | 27), u64(value));
};

/** Deterministic CBOR (RFC 8949 §4.2) of what signed objects use. The caller orders the keys of maps. */
export const cbor = {
  int: (value) => (value < 0 ? head(1, -1 - value) : head(0, value)),
  bytes: (value) => concat(head(2, value.length), value),
  text: (value) => concat(head(3, Buffer.byteLength(value)), value),
  array: (...items) => concat(head(4, items.length), ...items),
  map: (...entries) => concat(head(5, entries.length), ...entries.flat()),
  tag: (tag, item) => concat(head(6, tag), item),
};

/** A COSE_Sign1 (RFC 9052 §4.2) with the project's protected header. */
export function seal(context, pair, payload, { unprotected = cbor.map() } = {}) {
  const id = sha256(pair.key).subarray(0, 8);
  const protectedHeader = cbor.map([cbor.int(1), cbor.int(-8)], [cbor.int(4), cbor.bytes(id)]);
  const signed = cbor.array(
    cbor.text('Signature1'),
    cbor.bytes(protectedHeader),
    cbor.bytes(Buffer.from(context)),
    cbor.bytes(payload),
  );
  return cbor.tag(
    18,
    cbor.array(cbor.bytes(protectedHeader), unprotected, cbor.bytes(payload), cbor.bytes(pair.sign(signed))),
  );
}
