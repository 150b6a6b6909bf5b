// TR 33.844 §4.2 and §4.4: a tracker that is hostile itself, and has the key that signs tickets. It can place itself between
// viewers, which docs/THREATS.md says; it cannot make anybody take a wrong byte, keep anybody from playing, read what its
// publisher encrypted, or learn an address of somebody who has not consented.

import assert from 'node:assert/strict';
import { createDecipheriv, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { mkdir, readFile, readdir, rename } from 'node:fs/promises';
import path from 'node:path';

import { BOTH, SignallingRelay } from '../lib/signalling-relay.mjs';
import { FULL, conclude } from '../lib/report.mjs';
import { Needles } from '../lib/needles.mjs';
import { SigningKey, readHello, revocationOf, swarmOf } from '../lib/membership.mjs';
import { Stage, goesAhead, playsTo, stalls, until } from '../lib/stage.mjs';

const BROWSERS = FULL ? ['chromium', 'firefox'] : ['chromium'];
const SEGMENT_MS = 2000;
// As little as this may be missing from the end of what a player can show.
const HELD_S = 1;
const DATA = 1;
const TEN_YEARS_MS = 10 * 365 * 86_400_000;

describe('4.4', { concurrency: 2 }, () => {
  for (const browser of BROWSERS) {
    test(`4.2: in ${browser}, a tracker between two viewers reads ciphertext and no key`, async (t) => {
      let key;
      const { stage, relay } = await hostile(t, browser, {
        stream: 'encrypted',
        prepare: async (folder) => {
          const own = path.join(folder, '..', 'key');
          await mkdir(own);
          await rename(path.join(folder, 'key.bin'), path.join(own, 'key.bin'));
          key = await readFile(path.join(own, 'key.bin'));
        },
      });
      const overheard = [];
      const { second } = await between(stage, relay, browser, (bytes) => {
        overheard.push(bytes);
        return bytes;
      });
      const seen = await playsTo(second, 8);
      assert.ok(seen.bytes.peers > 0, 'the tracker passed media on');
      assert.deepEqual((await stage.check(second)).wrong, []);

      const [cipher, clear] = [new Needles(), new Needles()];
      for (const name of (await readdir(stage.folder)).filter((file) => file.endsWith('.ts'))) {
        const encrypted = await readFile(path.join(stage.folder, name));
        const iv = Buffer.alloc(16);
        iv.writeUInt32BE(Number(/\d+/.exec(name)[0]), 12);
        const decipher = createDecipheriv('aes-128-cbc', key, iv);
        const media = Buffer.concat([decipher.update(encrypted), decipher.final()]);
        assert.equal(media[0], 0x47, 'this is how the player decrypts it');
        cipher.addContent('ciphertext', encrypted);
        clear.addContent('media', media);
      }
      const secrets = new Needles().add('key', key).add('its address', Buffer.from('key.bin'));
      const heard = Buffer.concat(overheard);
      const read = cipher.find(heard).get('ciphertext: plain') ?? 0;
      const leaks = [...secrets.find(heard), ...clear.find(heard)];
      await conclude({
        threat: '21',
        attack: `a tracker between two viewers reads what they say, in ${browser}`,
        attempts: read,
        successes: leaks.length,
        figure: `${heard.length} bytes read, with ${read} sequences of the ciphertext and of key and clear media: ${leaks.join(', ') || 'none'}`,
        target: 'ciphertext shared, no key in any peer message',
      });
    });

    test(`4.4: in ${browser}, a tracker between two viewers that alters what they send gets no byte played`, async (t) => {
      const { stage, relay } = await hostile(t, browser);
      let altered = 0;
      const { first, second } = await between(stage, relay, browser, (bytes, channel) => {
        if (channel !== DATA) return bytes;
        altered += 1;
        const changed = Buffer.from(bytes);
        changed[changed.length - 1] ^= 0x20;
        return changed;
      });
      await until(
        'the tracker being blamed',
        () => second.events('peer-blamed'),
        (events) => events.some(({ code }) => code !== undefined),
      );
      const { bufferedEnd } = await second.metrics();
      await playsTo(second, bufferedEnd + 2);
      await concludePlay('a tracker between two viewers alters what they send', {
        browser,
        stage,
        attempts: altered,
        viewers: [first, second],
      });
    });

    test(`4.4: in ${browser}, no lie of a tracker stops or alters play`, async (t) => {
      const { stage, relay } = await hostile(t, browser);
      const told = LIES(relay);
      for (const group of [told.slice(0, 3), told.slice(3)]) {
        await Promise.all(
          group.map(async ({ name, lies, count }, n) => {
            const number = 10 + told.findIndex((lie) => lie.name === name);
            relay.lieTo(number, lies);
            const viewer = await stage.viewer({ tracker: relay.trackerFor(number) }, browser);
            await playsTo(viewer, 6 + n);
            await until(`${name}: being told`, count);
            await concludePlay(`a tracker ${name}`, { browser, stage, attempts: count(), viewers: [viewer] });
            await stage.closeViewer(viewer);
          }),
        );
      }
    });

    test(`4.1: in ${browser}, before consent a hostile tracker learns nothing, and no address is gathered`, async (t) => {
      const { stage, relay } = await hostile(t, browser);
      let introduced = 0;
      const heard = [];
      relay.lieTo(1, {
        told: (_, message) => {
          if (message.type !== 'joined') return [message];
          introduced += 1;
          return [message, stranger('offer'), stranger('offer')];
        },
        said: (_, message) => {
          if (message.type === 'candidate') heard.push(message.candidate.address);
          return message.introduction === undefined ? [message] : [];
        },
      });
      const viewer = await stage.viewer({ tracker: relay.trackerFor(1), share: 'ask' }, browser);
      const before = await playsTo(viewer, 4);
      const learnt = [before.connectionsMade, heard.length, Number(relay.hears(1))];
      await viewer.evaluate(() => window.__viewer.peer.consent());
      await until('addresses after consent', () => heard.length);
      await conclude({
        threat: '17',
        attack: `a tracker introduces whoever is there, in ${browser}`,
        attempts: introduced,
        successes: learnt.filter((count) => count > 0).length,
        figure: `before consent ${learnt.join(', ')} connections, addresses and sockets to the tracker; ${heard.length} addresses after it`,
        target: 'no address gathered before consent',
      });
    });
  }
});

/** A stage whose tracker is hostile: the real one, and between it and its viewers somebody who has its key. */
async function hostile(t, browser, options = {}) {
  const stage = await Stage.open(t, { ownTracker: true, ...options });
  const relay = await SignallingRelay.start(t, {
    tracker: stage.trackerUrl,
    swarm: swarmOf(await readFile(path.join(stage.folder, 'content.seal'))).swarm,
    trackerKey: SigningKey.ofFile(await readFile(stage.keys.tracker.file, 'utf8')),
  });
  const middle = `/viewer/middle.html?relay=${encodeURIComponent(`${relay.url}/middle`)}`;
  await stage.page(new URL(middle, stage.url).href, browser);
  await relay.middle();
  return { stage, relay };
}

/** Two viewers of whom each believes that the tracker's peer is a viewer: `carry(bytes, channel)` is what passes. */
async function between(stage, relay, browser, carry) {
  const first = await stage.viewer({ tracker: relay.trackerFor(0) }, browser);
  await goesAhead(first, 8);
  const introduced = relay.introduce([0, 1], {
    ends: BOTH,
    introduce: (_, __, told) => (told.peer = relay.member.handle),
    carry(relayed, from, bytes, channel) {
      const { memory } = relayed;
      memory.greeted ??= [false, false];
      memory.held ??= [[], []];
      if (channel !== DATA && readHello(bytes) !== null) {
        memory.greeted[from] = true;
        // Whom it is known to may hear what the other had to say meanwhile.
        const waiting = memory.held[from].splice(0).map((held) => [from, held]);
        return [...relayed.answerWith(from, bytes, relayed.relay.ticket()), ...waiting];
      }
      const isProof = bytes[0] === 2 && channel !== DATA;
      if (isProof) return [];
      const passed = carry(bytes, channel);
      if (memory.greeted[1 - from]) return relayed.pass(from, passed);
      memory.held[1 - from].push(passed);
      return [];
    },
  });
  const second = await stage.viewer({ tracker: relay.trackerFor(1) }, browser);
  const encounter = await introduced;
  const { proved } = await encounter.ending();
  assert.deepEqual(proved, [true, true], 'the tracker got between them: docs/THREATS.md says so');
  return { first, second };
}

async function concludePlay(attack, { browser, stage, attempts, viewers }) {
  let [successes, bytes] = [0, 0];
  const waits = [];
  for (const viewer of viewers) {
    const check = await stage.check(viewer);
    const stalled = stalls(await viewer.metrics());
    // A player that stands still with seconds of the stream in hand waits for itself: that is said, and is nobody's success.
    const forData = stalled.filter(({ ms, held }) => ms > SEGMENT_MS && held < HELD_S);
    successes += check.wrong.length + forData.length;
    bytes += check.bytes;
    waits.push(...stalled);
  }
  await conclude({
    threat: '29',
    attack: `${attack}, in ${browser}`,
    attempts,
    successes,
    figure: `${bytes} bytes given to the player are those that were published; stalls: ${JSON.stringify(waits)}`,
    target: '0 unverified bytes, no stall for want of data beyond one segment',
  });
}

/** {name, lies, count}: what a tracker may say, and how often it did. */
function LIES(relay) {
  const lie = (name, make) => {
    let times = 0;
    return { name, lies: make((messages) => ((times += 1), messages)), count: () => times };
  };
  const later = (by) => (told) => ({
    told: (_, message) =>
      message.time_unix_ms === undefined
        ? [message]
        : told([{ ...message, time_unix_ms: message.time_unix_ms + by }]),
  });
  return [
    lie('says that it is ten years later', later(TEN_YEARS_MS)),
    lie('says that it is ten years earlier', later(-TEN_YEARS_MS)),
    lie('lists and introduces peers that do not exist', (told) => ({
      told: (_, message) =>
        message.peers === undefined
          ? [message]
          : told([{ ...message, peers: Array.from({ length: 30 }, handle) }]),
      said(side, message) {
        if (message.type !== 'introduce') return message.introduction === undefined ? [message] : [];
        side.toPeer({ ...stranger('offer'), peer: message.peer });
        return told([]);
      },
    })),
    lie('puts everybody out, and hands out tickets that ended', (told) => ({
      told(side, message) {
        if (message.type !== 'joined') return [message];
        const until = Math.floor(Date.now() / 1000) + 600;
        const statement = revocationOf(relay.trackerKey, {
          swarm: relay.swarm,
          until,
          handles: [side.handle, ...Array.from({ length: 63 }, () => randomBytes(16))],
        });
        const ended = relay.ticket({ age: 5000 }).toString('base64url');
        return told([
          { ...message, ticket: ended },
          { type: 'revocation', statement: statement.toString('base64url') },
        ]);
      },
    })),
    lie('breaks every rule of form', (told) => ({
      told: (_, message) =>
        told([
          'no JSON',
          { type: 'unheard_of' },
          { ...message, more: 'than there is room for' },
          { type: 'peers', peers: Array.from({ length: 4000 }, handle) },
        ]),
    })),
    lie('says nothing at all', (told) => ({ told: () => told([]) })),
  ];
}

function stranger(role) {
  return { type: 'introduction', introduction: handle(), peer: handle(), role };
}

function handle() {
  return randomBytes(16).toString('base64url');
}
