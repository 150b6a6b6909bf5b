// A hostile signalling relay: it stands between viewers and the tracker, sees and alters every introduction, description and
// candidate, and where it has told a viewer its own certificate it ends that viewer's DTLS connection as well, by a browser
// page of its own (viewer/middle.html). What it does with all that is up to a strategy.

import { EventEmitter, once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { SigningKey, proofOf, readHello, ticketOf, writeHello } from './membership.mjs';

const CONTROL = 0;
const HEARD_EVERY_MS = 20;

/** Whose DTLS a strategy lets the relay end. */
export const NOBODY = [];
export const ONE = [1];
export const BOTH = [0, 1];

export class SignallingRelay {
  #server;
  #tracker;
  #middle = null;
  #ends = new Map();
  #sides = new Map();
  #lies = new Map();
  #news = new EventEmitter().setMaxListeners(0);
  /** Of the relay as a member of the swarm in its own right. */
  member = new SigningKey();

  /** `tracker` is the real one's URL, `swarm` the id of the swarm, `trackerKey` the key of the tracker, for tickets. */
  static async start(t, { tracker, swarm, trackerKey }) {
    const relay = new SignallingRelay();
    relay.#tracker = tracker;
    Object.assign(relay, { swarm, trackerKey });
    relay.#server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    relay.#server.on('connection', (socket, { url }) => relay.#accept(socket, new URL(url, 'ws://relay')));
    await once(relay.#server, 'listening');
    t.after(() => relay.#stop());
    relay.url = `ws://127.0.0.1:${relay.#server.address().port}`;
    return relay;
  }

  /** What the viewer `number` takes for its tracker. */
  trackerFor(number) {
    return `${this.url}/tracker?side=${number}`;
  }

  /** When the page that ends connections is there. */
  async middle() {
    if (this.#middle === null) await once(this.#news, 'middle');
  }

  /** The stay of viewer `number` in the swarm, once the tracker has admitted it. */
  async joined(number) {
    while (this.#sides.get(number)?.handle === undefined) await once(this.#news, `side ${number}`);
    return this.#sides.get(number);
  }

  /** Lets the tracker introduce two viewers, deals with them as `strategy` says, and says what came of it. */
  async meet(numbers, strategy) {
    const encounter = await this.introduce(numbers, strategy);
    const ending = await encounter.ending();
    encounter.close();
    return ending;
  }

  /** The same, as long as the viewers stay: the encounter, which is theirs for every introduction that follows. */
  async introduce(numbers, strategy) {
    const sides = await Promise.all(numbers.map((number) => this.joined(number)));
    const recorded = strategy.records ? await this.#record(sides[0]) : [];
    const encounter = new Encounter(this, sides, strategy, recorded);
    sides[0].toTracker({ type: 'introduce', peer: sides[1].handle.toString('base64url') });
    return encounter;
  }

  /**
   * What viewer `number` is told instead of what its tracker says, from now on: `told(side, message)` gives messages (or
   * texts) for each that is on its way to the viewer, `said(side, message)` for each on its way to the tracker.
   */
  lieTo(number, { told = (_, message) => [message], said = (_, message) => [message] }) {
    this.#lies.set(number, { told, said });
  }

  /** Whether viewer `number` has a connection to what it takes for its tracker. */
  hears(number) {
    return this.#sides.has(number);
  }

  /** The relay's own ticket: `by` whose key, for which `swarm`, and how many seconds ago. */
  ticket({ by = this.trackerKey, swarm = this.swarm, age = 10 } = {}) {
    const issued = Math.floor(Date.now() / 1000) - age;
    return ticketOf(by, { key: this.member.publicKey, swarm, issued });
  }

  /** A connection with `side` as the member that the relay is: what the side says to prove itself. */
  async #record(side) {
    const encounter = new Encounter(this, [side], MEMBER, []);
    encounter.introduceTo(0, { id: randomBytes(16), peer: this.member.handle, role: 'offer' });
    await encounter.ending();
    // What it said over the connection may be later than what it said to the tracker.
    while (encounter.heard[0].length < 2) await sleep(HEARD_EVERY_MS);
    encounter.close();
    return encounter.heard[0].slice(0, 2);
  }

  /** Opens an end of a connection in the page for it; `events` hears {description, candidate, opened} and messages. */
  open(offer, events) {
    const id = (this.#ends.size === 0 ? 0 : Math.max(...this.#ends.keys())) + 1;
    this.#ends.set(id, events);
    this.command(id, { open: { offer } });
    return id;
  }

  command(id, what) {
    this.#middle.send(JSON.stringify({ id, ...what }));
  }

  say(id, channel, bytes) {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(id);
    head[4] = channel;
    this.#middle.send(Buffer.concat([head, bytes]));
  }

  close(id) {
    this.#ends.delete(id);
    this.command(id, { close: true });
  }

  #accept(socket, url) {
    if (url.pathname === '/middle') {
      socket.on('message', (data, binary) => this.#fromMiddle(socket, data, binary));
      return;
    }
    const number = Number(url.searchParams.get('side'));
    const upstream = new WebSocket(this.#tracker);
    const changed = () => this.#news.emit(`side ${number}`);
    const side = new Side(socket, upstream, { changed, lies: () => this.#lies.get(number) });
    this.#sides.set(number, side);
    socket.on('close', () => {
      if (this.#sides.get(number) === side) this.#sides.delete(number);
    });
  }

  #fromMiddle(socket, data, binary) {
    if (binary) {
      this.#ends.get(data.readUInt32BE(0))?.message(data[4], data.subarray(5));
      return;
    }
    const { id, ready, failed, ...news } = JSON.parse(data);
    if (ready) {
      this.certificate = fingerprintBytes(descriptionOf(news.sdp).fingerprint);
      this.#middle = socket;
      this.#news.emit('middle');
    } else {
      this.#ends.get(id)?.news(news, failed);
    }
  }

  async #stop() {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** One viewer's stay: its socket, and the one that the relay has to the tracker for it. */
class Side {
  encounter = null;
  index = 0;
  #socket;
  #upstream;
  #lies;

  constructor(socket, upstream, { changed, lies }) {
    [this.#socket, this.#upstream, this.#lies] = [socket, upstream, lies];
    // A viewer may be gone before there is a tracker: its words are lost then, as it is.
    let open = once(upstream, 'open').catch(() => socket.terminate());
    socket.on('message', (data, binary) => {
      // In their order, the first ones as soon as there is a tracker to hear them.
      open = open.then(() => {
        if (upstream.readyState !== WebSocket.OPEN) return;
        if (binary) upstream.send(data);
        else this.#fromPeer(JSON.parse(data));
      });
    });
    upstream.on('message', (data) => this.#fromTracker(JSON.parse(data), changed));
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ]) {
      // Whatever happens to a socket ends it, and the other with it.
      one.on('error', () => one.terminate());
      one.on('close', () => other.terminate());
    }
    socket.on('close', () => this.encounter?.ended(this.index, 'closed'));
  }

  toPeer(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(textOf(message));
  }

  toTracker(message) {
    if (this.#upstream.readyState === WebSocket.OPEN) this.#upstream.send(textOf(message));
  }

  #fromPeer(message) {
    if (message.type === 'join') this.key = Buffer.from(message.key.replace('ed25519:', ''), 'base64url');
    if (message.type === 'report') this.encounter?.reported(message.code);
    if (this.encounter?.fromPeer(this.index, message)) return;
    for (const said of this.#lies()?.said(this, message) ?? [message]) this.toTracker(said);
  }

  #fromTracker(message, changed) {
    if (message.type === 'joined') {
      this.handle = Buffer.from(message.handle, 'base64url');
      this.ticket = Buffer.from(message.ticket, 'base64url');
    }
    if (!this.encounter?.fromTracker(this.index, message)) {
      for (const told of this.#lies()?.told(this, message) ?? [message]) this.toPeer(told);
    }
    if (message.type === 'joined') changed();
  }
}

/** What becomes of one introduction. */
class Encounter {
  hostile = 0;
  heard = [[], []];
  ids = [];
  roles = [];
  certificates = [];
  #strategy;
  #real = [];
  #middle = [null, null];
  #opened = [false, false];
  #waiting = [];
  #reports = [];
  #verdicts = [null, null];
  #decided;
  #done;

  constructor(relay, sides, strategy, recorded) {
    // `memory` is the strategy's own.
    Object.assign(this, { relay, sides, recorded, memory: {} });
    this.#strategy = strategy;
    this.#done = new Promise((resolve) => (this.#decided = resolve));
    sides.forEach((side, index) => Object.assign(side, { encounter: this, index }));
  }

  /** When all whom it is meant to deceive have made up their minds: {proved, hostile, opened, faults}; `opened` are connections that the relay ended. */
  async ending() {
    await this.#done;
    return {
      proved: this.#verdicts.map((verdict) => verdict === 'connected'),
      verdicts: this.#verdicts,
      hostile: this.hostile,
      opened: this.#opened.filter(Boolean).length,
      faults: this.#reports,
    };
  }

  close() {
    this.#middle.filter((id) => id !== null).forEach((id) => this.relay.close(id));
    this.sides.forEach((side) => (side.encounter = null));
  }

  /** Tells a side of an introduction; `told` is {id, peer, role}. */
  introduceTo(index, told) {
    this.#strategy.introduce?.(this, index, told);
    [this.ids[index], this.roles[index]] = [told.id, told.role === 'offer' ? 0 : 1];
    if (this.#ends(index)) {
      this.#middle[index] = this.relay.open(told.role === 'answer', {
        news: (news, failed) => this.#fromMiddle(index, news, failed),
        message: (channel, bytes) => this.#said(index, channel, bytes),
      });
    } else if (this.#endsAny()) {
      // It is not told at all: the relay plays it to the other.
      return;
    }
    const [introduction, peer] = [told.id, told.peer].map((bytes) => bytes.toString('base64url'));
    this.sides[index].toPeer({ type: 'introduction', introduction, peer, role: told.role });
  }

  /** Whether the message from the tracker has been dealt with. */
  fromTracker(index, message) {
    if (message.type === 'introduction') {
      this.#real[index] = message.introduction;
      const [id, peer] = [message.introduction, message.peer].map((text) => Buffer.from(text, 'base64url'));
      this.introduceTo(index, { id, peer, role: message.role });
      return true;
    }
    if (message.introduction === undefined) return false;
    const told = { ...message, introduction: this.ids[index]?.toString('base64url') };
    if (message.type === 'description') {
      const altered = this.#strategy.describe?.(this, index, told.description);
      if (altered !== undefined) told.description = altered;
    }
    this.sides[index].toPeer(this.#strategy.text?.(this, index, told) ?? told);
    return true;
  }

  /** Whether the message from a viewer has been dealt with. */
  fromPeer(index, message) {
    if (message.introduction === undefined) return false;
    // Of an earlier encounter: nothing of it is anybody's business any more.
    if (message.introduction !== this.ids[index]?.toString('base64url')) return true;
    if (message.type === 'description') {
      this.certificates[index] = fingerprintBytes(message.description.fingerprint);
    }
    if (message.type === 'end_introduction') this.ended(index, message.reason);
    const id = this.#middle[index];
    if (id === null) {
      if (this.#real[index] !== undefined) {
        this.sides[index].toTracker({ ...message, introduction: this.#real[index] });
      }
    } else if (message.type === 'description') {
      const type = this.roles[index] === 0 ? 'offer' : 'answer';
      this.relay.command(id, { remote: { type, sdp: sdpOf(type, message.description) } });
    } else if (message.type === 'candidate') {
      this.relay.command(id, { candidate: lineOf(message.candidate) });
    }
    return true;
  }

  reported(code) {
    this.#reports.push(code);
  }

  /** A side has made up its mind. */
  ended(index, reason) {
    this.#verdicts[index] ??= reason;
    const victims = this.sides.length === 1 ? [0] : (this.#strategy.victims ?? BOTH);
    if (victims.every((victim) => this.#verdicts[victim] !== null)) this.#decided();
  }

  #ends(index) {
    return (this.#strategy.ends ?? NOBODY).includes(index);
  }

  #endsAny() {
    return (this.#strategy.ends ?? NOBODY).length > 0;
  }

  #fromMiddle(index, { description, candidate, opened }, failed) {
    if (failed !== undefined) throw new Error(`the middle: ${failed}`);
    const introduction = this.ids[index].toString('base64url');
    if (description !== undefined) {
      this.hostile += 1;
      this.sides[index].toPeer({
        type: 'description',
        introduction,
        description: descriptionOf(description),
      });
    }
    if (candidate !== undefined) {
      const fields = fieldsOf(candidate);
      if (fields !== null) this.sides[index].toPeer({ type: 'candidate', introduction, candidate: fields });
    }
    if (opened) {
      this.#opened[index] = true;
      if (this.sides.every((_, side) => !this.#ends(side) || this.#opened[side])) this.#allOpened();
    }
  }

  #allOpened() {
    for (const [index] of this.sides.entries()) {
      if (this.#ends(index)) {
        for (const bytes of this.#strategy.greet?.(this, index) ?? []) {
          this.relay.say(this.#middle[index], CONTROL, bytes);
        }
      }
    }
    for (const [index, channel, bytes] of this.#waiting.splice(0)) this.#said(index, channel, bytes);
  }

  #said(index, channel, bytes) {
    if (!this.sides.every((_, side) => !this.#ends(side) || this.#opened[side])) {
      this.#waiting.push([index, channel, bytes]);
      return;
    }
    if (channel === CONTROL) this.heard[index].push(bytes);
    const carried = this.#strategy.carry?.(this, index, bytes, channel) ?? [];
    for (const [to, said] of carried) {
      if (this.#middle[to] !== null) this.relay.say(this.#middle[to], channel, said);
    }
  }

  // What strategies are made of.

  pass(from, bytes) {
    return [[1 - from, bytes]];
  }

  /** A HELLO on its way, as the other side would see it if nobody were in the middle, but for what `alter` changes. */
  rewrite(from, bytes, alter = () => {}) {
    const hello = readHello(bytes);
    if (hello === null) return this.pass(from, bytes);
    Object.assign(hello, { own: this.relay.certificate, peer: this.certificates[1 - from] });
    alter(hello);
    this.hostile += 1;
    return [[1 - from, writeHello(hello)]];
  }

  /** A HELLO of the relay's own, as somebody opposite to side `to`. */
  claim(to, ticket) {
    this.hostile += 1;
    return writeHello({
      versions: Buffer.from([1]),
      capabilities: Buffer.alloc(4),
      role: 1 - this.roles[to],
      swarm: this.relay.swarm,
      introduction: this.ids[to],
      own: this.relay.certificate,
      peer: this.certificates[to],
      digest: readHello(this.heard[to][0]).digest,
      nonce: randomBytes(32),
      ticket,
    });
  }

  /** A PROOF by the relay's key for what side `to` takes to be true, after it said `saidBy` and heard `saidTo`. */
  proof(to, saidBy, saidTo) {
    const offers = this.roles[to] === 0;
    const order = (mine, theirs) => (offers ? [theirs, mine] : [mine, theirs]);
    return proofOf(this.relay.member, {
      role: 1 - this.roles[to],
      swarm: this.relay.swarm,
      introduction: this.ids[to],
      fingerprints: order(this.relay.certificate, this.certificates[to]),
      hellos: order(saidTo, saidBy),
    });
  }

  /** The relay's own HELLO with this ticket, and a proof by its own key, to whoever says HELLO to it. */
  answerWith(from, bytes, ticket) {
    if (readHello(bytes) === null) return [];
    const hello = this.claim(from, ticket);
    return [
      [from, hello],
      [from, this.proof(from, bytes, hello)],
    ];
  }
}

/** The relay as what it is: a member with a good ticket, introduced under its own name. */
const MEMBER = {
  ends: [0],
  carry: (encounter, from, bytes) => encounter.answerWith(from, bytes, encounter.relay.ticket()),
};

function textOf(message) {
  return typeof message === 'string' ? message : JSON.stringify(message);
}

function fingerprintBytes(text) {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

/** §12: what an SDP says, in fields. */
function descriptionOf(sdp) {
  const field = (name) => new RegExp(`^a=${name}:(.*?)\\r?$`, 'm').exec(sdp)?.[1];
  return {
    ufrag: field('ice-ufrag'),
    pwd: field('ice-pwd'),
    fingerprint: field('fingerprint').replace(/^sha-256 /i, ''),
    setup: field('setup'),
    max_message_size: 262_144,
  };
}

/** §12: the template. */
function sdpOf(type, { ufrag, pwd, fingerprint, setup, max_message_size: size }) {
  return [
    ...['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=group:BUNDLE 0', 'a=ice-options:trickle'],
    ...['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', 'a=mid:0'],
    ...[`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, `a=fingerprint:sha-256 ${fingerprint}`],
    ...[`a=setup:${type === 'offer' ? 'actpass' : setup}`, 'a=sctp-port:5000', `a=max-message-size:${size}`],
    '',
  ].join('\r\n');
}

function fieldsOf(line) {
  const [first, component, transport, priority, address, port, , kind] = line.split(' ');
  if (transport.toLowerCase() !== 'udp' || Number(component) !== 1) return null;
  return {
    foundation: first.replace('candidate:', ''),
    component: 1,
    transport: 'udp',
    priority: Number(priority),
    address,
    port: Number(port),
    kind,
  };
}

function lineOf({ foundation, component, transport, priority, address, port, kind }) {
  return `candidate:${foundation} ${component} ${transport} ${priority} ${address} ${port} typ ${kind}`;
}
