// TR 33.844 §4.2, on the wire: somebody records all that goes over PP_m1 (viewer to origin and tracker) and PP_m2 (viewer to
// viewer) while a known content plays, and looks for its bytes, for what it is called, and for who watches it.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { Needles, canaries, forms } from '../lib/needles.mjs';
import { Recorder } from '../lib/recorder.mjs';
import { Stage, findsPeers, goesAhead, holds, playsTo } from '../lib/stage.mjs';
import { conclude } from '../lib/report.mjs';
import { swarmOf } from '../lib/membership.mjs';

// One datagram carries less than this without being cut.
const PIECE = 1200;

test('4.2: a recording of what viewers, origin and tracker say to each other shows neither content nor names', async (t) => {
  const identities = await canaries();
  assert.equal(identities.length, 12);

  // First without TLS, and with what a data channel without DTLS would show: the same search must find it.
  const open = await Stage.open(t);
  const careless = await Recorder.start(t, `${open.site}.pcap`, port(open.url), port(open.trackerUrl));
  const exposed = await open.viewer(planting(identities));
  await carryCookies(exposed, identities);
  await playsTo(exposed, 4);
  await holds(exposed, 10);
  const known = await secrets(open, [exposed], identities);
  await leakOverUdp(known, port(open.url));
  const shown = await careless.stop();
  const found = search(known.needles, shown);
  for (const [name, bytes] of known.named) {
    for (const [form] of forms(bytes)) {
      assert.ok(found.has(`${name}: ${form}`), `a leak of ${name}, ${form}, is found`);
    }
  }
  for (const form of ['plain', 'hexadecimal', 'base64 at 0', 'base64 at 1', 'base64 at 2']) {
    assert.ok(found.has(`content: ${form}`), `a leak of content, ${form}, is found`);
  }
  // What a plain origin shows by itself, and not because we said it over UDP.
  const overHttp = findAll(known.needles, shown.streams);
  for (const name of ['content: plain', 'content id: plain', 'path s002.m4s: plain']) {
    assert.ok(overHttp.has(name), `plain HTTP shows ${name}`);
  }
  await open.closeViewer(exposed);

  // Then as it should be: two browsers of different kinds, TLS to origin and tracker.
  const stage = await Stage.open(t, { tls: true });
  const recorder = await Recorder.start(t, `${stage.site}.pcap`, port(stage.url), port(stage.trackerUrl));
  const first = await stage.viewer(planting(identities), 'chromium');
  await carryCookies(first, identities);
  await goesAhead(first, 8);
  const second = await stage.viewer(planting(identities), 'firefox');
  await carryCookies(second, identities);
  await findsPeers(second);
  await playsTo(second, 8);
  const watched = await secrets(stage, [first, second], identities);
  const seen = [await first.metrics(), await second.metrics()];
  const ports = await channelPorts([first, second]);
  const recording = await recorder.stop();
  for (const viewer of [first, second]) {
    assert.deepEqual((await stage.check(viewer)).wrong, []);
  }

  // The recorder was where the bytes went.
  const volume = (chosen) =>
    recording.packets.filter(chosen).reduce((sum, { payload }) => sum + payload.length, 0);
  const betweenPeers = volume(
    ({ protocol, from, to }) => protocol === 'udp' && ports.has(from) && ports.has(to),
  );
  const fromOrigin = volume(({ protocol, from }) => protocol === 'tcp' && from === port(stage.url));
  const fromTracker = volume(({ protocol, from }) => protocol === 'tcp' && from === port(stage.trackerUrl));
  const fromPeers = seen[1].bytes.peers;
  const overTls = seen[0].bytes.http + seen[1].bytes.http;
  assert.ok(fromPeers > 0, 'the second viewer was fed by the first');
  assert.ok(
    betweenPeers >= fromPeers,
    `${betweenPeers} bytes recorded between viewers, ${fromPeers} of media`,
  );
  assert.ok(fromOrigin >= overTls, `${fromOrigin} bytes recorded from the origin, ${overTls} of media`);
  assert.ok(fromTracker > 0, 'the tracker was overheard');

  const hits = [...search(watched.needles, recording)];
  await conclude({
    threat: '18',
    attack:
      'a recorder between viewers, origin and tracker looks for content, ids, handles, paths and identities',
    attempts: watched.needles.count,
    successes: hits.length,
    figure: `${betweenPeers} bytes between Chromium and Firefox (${fromPeers} of media), ${fromOrigin} from the origin and ${fromTracker} from the tracker searched for ${watched.needles.count} sequences; found: ${hits.join(', ') || 'nothing'}; each leak made on purpose is found`,
    target: '0 found',
  });
});

/** Where a page has identities: in its own address, in tokens, and in cookies. */
function planting(identities) {
  const all = identities.map(({ text }) => text).join(' ');
  return { token: all, account: all };
}

function carryCookies(viewer, identities) {
  return viewer.evaluate(
    (texts) => {
      texts.forEach((text, n) => {
        document.cookie = `canary${n}=${encodeURIComponent(text)}; path=/`;
      });
    },
    identities.map(({ text }) => text),
  );
}

/** Everything that a recording must not show. */
async function secrets(stage, viewers, identities) {
  const file = (name) => readFile(path.join(stage.folder, name));
  const { content, secret, swarm } = swarmOf(await file('content.seal'));
  const fetched = [...new Set((await stage.requests()).map((request) => request.path))];
  const named = new Map([
    ['content id', content],
    ['content id as text', Buffer.from(stage.manifest.content)],
    ['swarm id', swarm],
    ['swarm secret', secret],
    ['publisher key', rawKey(stage.keys.publisher.publicKey)],
    ['tracker key', rawKey(stage.keys.tracker.publicKey)],
    ...fetched.map((name) => [`path ${name}`, Buffer.from(name)]),
    ...identities.map(({ kind, text }) => [kind, Buffer.from(text)]),
  ]);
  for (const [n, viewer] of viewers.entries()) {
    const { handle } = await viewer.metrics();
    assert.ok(handle !== null, 'the viewer is in the swarm');
    named.set(`handle of viewer ${n}`, Buffer.from(handle, 'base64url'));
    named.set(`handle of viewer ${n} as text`, Buffer.from(handle));
  }
  const needles = new Needles();
  for (const [name, bytes] of named) needles.add(name, bytes);
  const media = fetched.filter((name) => /\.(m4s|mp4)$/.test(name));
  assert.ok(media.length > 5, 'media was played');
  const files = await Promise.all(media.map(file));
  for (const bytes of files) needles.addContent('content', bytes);
  // In whatever order they were asked for: initialisation segments are too short to be leaked from.
  const sample = files.find((bytes) => bytes.length >= 2 * PIECE);
  return { needles, named, sample };
}

function rawKey(text) {
  return Buffer.from(text.replace('ed25519:', ''), 'base64url');
}

/** What a data channel without DTLS would carry, in each form. */
async function leakOverUdp({ named, sample }, to) {
  const socket = createSocket('udp4');
  const say = (bytes) =>
    new Promise((resolve, reject) =>
      socket.send(bytes, to, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    );
  for (const bytes of named.values()) {
    for (const [, written] of forms(bytes)) await say(written);
  }
  const piece = sample.subarray(PIECE, 2 * PIECE);
  assert.equal(piece.length, PIECE, 'there is something to leak');
  await say(piece);
  await say(Buffer.from(piece.toString('hex')));
  for (const before of [0, 1, 2])
    await say(Buffer.from(sample.subarray(PIECE - before, 2 * PIECE).toString('base64')));
  socket.close();
}

function search(needles, { raw, streams }) {
  return findAll(needles, [raw, ...streams]);
}

function findAll(needles, places) {
  const found = new Map();
  for (const place of places) {
    for (const [name, count] of needles.find(place)) found.set(name, (found.get(name) ?? 0) + count);
  }
  return found;
}

/** UDP ports on which these viewers told each other to be. */
async function channelPorts(viewers) {
  const ports = new Set();
  for (const viewer of viewers) {
    for (const line of await viewer.evaluate(() => window.__viewer.record.candidates)) {
      ports.add(Number(line.split(' ')[5]));
    }
  }
  return ports;
}

function port(url) {
  return Number(new URL(url).port);
}
