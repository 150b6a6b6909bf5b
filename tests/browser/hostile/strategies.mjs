// What a signalling relay without the tracker's key may try to get into the middle of a connection, or to make two viewers
// believe what is not so. The native harness has the same under the same names where there are such.

import { randomBytes, randomInt } from 'node:crypto';

import { BOTH, NOBODY, ONE } from '../lib/signalling-relay.mjs';
import { SigningKey, readHello, writeHello } from '../lib/membership.mjs';

/** Nobody interferes. */
export const HONEST = { name: 'nobody interferes', ends: NOBODY };

/** The relay ends both sides' DTLS; what it does then is up to the strategy. */
const middle = { ends: BOTH, carry: (relayed, from, bytes) => relayed.pass(from, bytes) };
/** The relay ends side 1's DTLS and plays side 0 to it. */
const alone = { ends: ONE, victims: ONE, carry: () => [] };
/** The same, as the member that it is: with a ticket that is not good. */
const itself = { ...middle, introduce: (relayed, _, told) => (told.peer = relayed.relay.member.handle) };

export const STRATEGIES = [
  {
    name: 'one fingerprint swapped, nobody behind it',
    describe: (relayed, to, description) => (to === 1 ? swapped(relayed, description) : description),
  },
  {
    name: 'the other fingerprint swapped, likewise',
    describe: (relayed, to, description) => (to === 0 ? swapped(relayed, description) : description),
  },
  {
    name: 'both swapped, nobody behind them',
    describe: (relayed, _, description) => swapped(relayed, description),
  },
  { name: 'both fingerprints swapped, everything passed on', ...middle },
  {
    name: 'both swapped, HELLO rewritten to what each side sees',
    ...middle,
    carry: (relayed, from, bytes) => relayed.rewrite(from, bytes),
  },
  {
    name: "both swapped, HELLO rewritten in the sender's fingerprint only",
    ...middle,
    carry: (relayed, from, bytes) =>
      relayed.rewrite(from, bytes, (hello) => (hello.peer = relayed.relay.certificate)),
  },
  {
    name: "both swapped, HELLO rewritten, proofs by the relay's key",
    ...middle,
    carry(relayed, from, bytes) {
      if (readHello(bytes) !== null) return relayed.rewrite(from, bytes);
      const told = readHello(relayed.heard[from][0]);
      Object.assign(told, { own: relayed.relay.certificate, peer: relayed.certificates[1 - from] });
      return [[1 - from, relayed.proof(1 - from, relayed.heard[1 - from][0], writeHello(told))]];
    },
  },
  {
    name: "one fingerprint swapped, a HELLO with the other's ticket, a proof by the relay's key",
    ...alone,
    carry: (relayed, from, bytes) => relayed.answerWith(from, bytes, relayed.sides[0].ticket),
  },
  {
    name: "both swapped, the relay's own good ticket in place of the peer's",
    ...middle,
    carry: (relayed, from, bytes) => relayed.answerWith(from, bytes, relayed.relay.ticket()),
  },
  {
    name: "a ticket for the relay's key, issued by a key of its own",
    ...itself,
    carry: (relayed, from, bytes) =>
      relayed.answerWith(from, bytes, relayed.relay.ticket({ by: new SigningKey() })),
  },
  {
    name: "the peer's ticket with the relay's key written over the peer's",
    ...itself,
    carry(relayed, from, bytes) {
      const { ticket, key } = relayed.sides[1 - from];
      const altered = Buffer.from(ticket);
      relayed.relay.member.publicKey.copy(altered, altered.indexOf(key));
      return relayed.answerWith(from, bytes, altered);
    },
  },
  {
    name: 'a ticket with one bit flipped',
    ...middle,
    carry: (relayed, from, bytes) =>
      relayed.rewrite(from, bytes, (hello) => {
        hello.ticket = Buffer.from(hello.ticket);
        hello.ticket[randomInt(hello.ticket.length)] ^= 1 << randomInt(8);
      }),
  },
  {
    name: 'a stale ticket of the relay, introduced as itself',
    ...itself,
    carry: (relayed, from, bytes) =>
      relayed.answerWith(from, bytes, relayed.relay.ticket({ age: 2000 + randomInt(100_000) })),
  },
  {
    name: 'a ticket of a time to come, introduced as itself',
    ...itself,
    carry: (relayed, from, bytes) =>
      relayed.answerWith(from, bytes, relayed.relay.ticket({ age: -2000 - randomInt(100_000) })),
  },
  {
    name: 'a ticket of another swarm, introduced as itself',
    ...itself,
    carry: (relayed, from, bytes) =>
      relayed.answerWith(from, bytes, relayed.relay.ticket({ swarm: randomBytes(32) })),
  },
  {
    name: 'no ticket, introduced as itself',
    ...itself,
    carry: (relayed, from, bytes) => relayed.answerWith(from, bytes, Buffer.alloc(0)),
  },
  {
    name: 'HELLO carried to another swarm',
    ...middle,
    carry: (relayed, from, bytes) => relayed.rewrite(from, bytes, (hello) => (hello.swarm = randomBytes(32))),
  },
  {
    name: 'an earlier HELLO and PROOF of the peer replayed',
    ...alone,
    records: true,
    greet: (relayed) => replayed(relayed),
  },
  {
    name: 'the same, with the introduction of then',
    ...alone,
    records: true,
    introduce(relayed, side, told) {
      if (side === 1) told.id = readHello(relayed.recorded[0]).introduction;
    },
    greet: (relayed) => replayed(relayed),
  },
  {
    name: 'the same, with HELLO rewritten to what the victim sees',
    ...alone,
    records: true,
    greet(relayed, side) {
      const [hello, proof] = replayed(relayed);
      const fields = readHello(hello);
      Object.assign(fields, {
        introduction: relayed.ids[side],
        role: 1 - relayed.roles[side],
        own: relayed.relay.certificate,
        peer: relayed.certificates[side],
      });
      return [writeHello(fields), proof];
    },
  },
  { name: "a side's own messages reflected", ...middle, carry: reflected() },
  {
    name: 'reflected with the role flipped',
    ...middle,
    carry: reflected((hello) => (hello.role = 1 - hello.role)),
  },
  {
    name: 'reflected with role, nonce and fingerprints made to fit',
    ...middle,
    carry: reflected((hello, relayed, from) =>
      Object.assign(hello, {
        role: 1 - hello.role,
        nonce: randomBytes(32),
        own: relayed.relay.certificate,
        peer: relayed.certificates[from],
      }),
    ),
  },
  {
    name: 'roles flipped on the way',
    ...middle,
    carry: (relayed, from, bytes) => relayed.rewrite(from, bytes, (hello) => (hello.role = 1 - hello.role)),
  },
  {
    name: "both told the other's role, and it written into HELLO",
    ...middle,
    introduce: (_, __, told) => (told.role = told.role === 'offer' ? 'answer' : 'offer'),
    carry: (relayed, from, bytes) =>
      relayed.rewrite(from, bytes, (hello) => (hello.role = relayed.roles[1 - from])),
  },
  {
    name: 'versions replaced by one that nobody speaks',
    ...middle,
    carry: (relayed, from, bytes) =>
      relayed.rewrite(from, bytes, (hello) => (hello.versions = Buffer.from([2 + randomInt(250)]))),
  },
  {
    name: 'versions added',
    ...middle,
    carry: (relayed, from, bytes) =>
      relayed.rewrite(from, bytes, (hello) => (hello.versions = Buffer.from([0, 1]))),
  },
  {
    name: 'capabilities altered',
    ...middle,
    carry: (relayed, from, bytes) =>
      relayed.rewrite(from, bytes, (hello) => {
        hello.capabilities = Buffer.from(hello.capabilities);
        hello.capabilities[randomInt(4)] ^= 1 << randomInt(8);
      }),
  },
  {
    name: 'the digest of the tracks altered',
    ...middle,
    carry: (relayed, from, bytes) =>
      relayed.rewrite(from, bytes, (hello) => (hello.digest = randomBytes(32))),
  },
  {
    name: 'HELLO cut short',
    ...middle,
    carry: resized((bytes) => bytes.subarray(0, randomInt(1, bytes.length))),
  },
  {
    name: 'HELLO with bytes after its end',
    ...middle,
    carry: resized((bytes) => Buffer.concat([bytes, Buffer.alloc(1 + randomInt(200))])),
  },
  {
    name: 'two introductions made one',
    introduce(relayed, side, told) {
      if (side === 1) {
        relayed.hostile += 1;
        told.id = randomBytes(16);
      }
    },
  },
  {
    name: "a peer presented under the relay's name",
    victims: ONE,
    introduce(relayed, side, told) {
      if (side === 1) {
        relayed.hostile += 1;
        told.peer = relayed.relay.member.handle;
      }
    },
  },
  {
    name: 'a second fingerprint in a list',
    text: extended((text, second) =>
      text.replace(/"fingerprint":("[^"]+")/, `"fingerprint":[$1,"${second}"]`),
    ),
  },
  {
    name: 'a second fingerprint in a field of its own',
    text: extended((text, second) => text.replace(/"setup"/, `"fingerprint2":"${second}","setup"`)),
  },
  {
    name: 'a second fingerprint in a line of its own',
    text: extended((text, second) =>
      text.replace(/("pwd":"[^"]+)"/, `$1\\r\\na=fingerprint:sha-256 ${second}"`),
    ),
  },
];

function swapped(relayed, description) {
  relayed.hostile += 1;
  return { ...description, fingerprint: fingerprint() };
}

function fingerprint() {
  return randomBytes(32).toString('hex').toUpperCase().match(/../g).join(':');
}

function replayed(relayed) {
  relayed.hostile += 1;
  return relayed.recorded;
}

function reflected(alter = () => {}) {
  return (relayed, from, bytes) => {
    relayed.hostile += 1;
    const hello = readHello(bytes);
    if (hello === null) return [[from, bytes]];
    alter(hello, relayed, from);
    return [[from, writeHello(hello)]];
  };
}

function resized(resize) {
  return (relayed, from, bytes) => relayed.rewrite(from, bytes).map(([to, said]) => [to, resize(said)]);
}

/** Into the text of a description, which the relay sends as it likes. */
function extended(extend) {
  return (relayed, _, message) => {
    if (message.type !== 'description') return message;
    const text = JSON.stringify(message);
    const altered = extend(text, fingerprint());
    if (altered === text) throw new Error('the description was not altered');
    relayed.hostile += 1;
    return altered;
  };
}
