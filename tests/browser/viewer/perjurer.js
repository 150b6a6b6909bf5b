// The package's worker as somebody uses it who puts his name to junk: the first chunk of what is sent for a request is other
// bytes, and the STATEMENT before it (docs/PROTOCOL.md §14.1) says that it is these, signed with the peer's own key. How
// often is said on the channel `perjuries`.

'use strict';

{
  const CHUNK = 16_384;
  const STATEMENT = 0x0c;
  const DATA = 0x0b;
  const JUNK = 0x66;
  // Of an Ed25519 key (RFC 8410); the 32 bytes of its seed follow.
  const PKCS8 = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
  const text = new TextEncoder();
  const tell = new BroadcastChannel('perjuries');
  const done = { statements: 0, chunks: 0, failed: null };
  const lies = new Set();
  const draws = [];
  let key = null;
  let leaf = null;

  // Whoever runs the core in a page of his own knows what it draws, and so its key.
  const { getRandomValues } = Object.getPrototypeOf(crypto);
  Object.getPrototypeOf(crypto).getRandomValues = function (array) {
    const drawn = getRandomValues.call(this, array);
    if (drawn.byteLength === 32) draws.push(drawn.slice());
    return drawn;
  };

  // What is said later must not overtake what is still being signed, on either channel.
  const { send } = RTCDataChannel.prototype;
  let work = Promise.resolve();
  RTCDataChannel.prototype.send = function (data) {
    const bytes = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
      : new Uint8Array(data).slice();
    work = work
      .then(() => perjured(bytes))
      .then((said) => {
        if (this.readyState === 'open') send.call(this, said);
      })
      .catch((error) => {
        done.failed = String(error);
        tell.postMessage(done);
      });
  };

  async function perjured(bytes) {
    const view = new DataView(bytes.buffer);
    if (bytes[0] === STATEMENT) {
      const [chunks, first] = [view.getUint32(135), view.getUint32(139)];
      // The last chunk may be shorter.
      return first + 1 < chunks ? lie(bytes) : bytes;
    }
    if (bytes[0] === DATA && lies.has(bytes.subarray(5, 47).join())) {
      bytes.fill(JUNK, 48, 48 + CHUNK);
      done.chunks += 1;
      tell.postMessage(done);
    }
    return bytes;
  }

  /** This STATEMENT with another hash for its first chunk, signed as the true one was. */
  async function lie(bytes) {
    key ??= await ownKey(bytes);
    leaf ??= await sha256([0, ...Array(CHUNK).fill(JUNK)]);
    lies.add([...bytes.subarray(97, 135), ...bytes.subarray(139, 143)].join());
    bytes.set(leaf, 167);
    bytes.set(await signature(key, bytes), 1);
    done.statements += 1;
    tell.postMessage(done);
    return bytes;
  }

  /** The key with which the core has signed this. */
  async function ownKey(statement) {
    for (const seed of draws) {
      const drawn = await sha256([...text.encode('swarmseal/drbg/1'), ...seed, ...Array(8).fill(0)]);
      const candidate = await crypto.subtle.importKey(
        'pkcs8',
        new Uint8Array([...PKCS8, ...drawn]),
        'Ed25519',
        false,
        ['sign'],
      );
      const signed = await signature(candidate, statement);
      if (signed.join() === statement.subarray(1, 65).join()) return candidate;
    }
    throw new Error(`none of ${draws.length} draws gives the key`);
  }

  async function signature(by, statement) {
    const signed = new Uint8Array([...text.encode('swarmseal/statement/1'), ...statement.subarray(65)]);
    return new Uint8Array(await crypto.subtle.sign('Ed25519', by, signed));
  }

  async function sha256(bytes) {
    return new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)));
  }
}
