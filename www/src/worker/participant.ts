import type { Peer } from '../../core/core.js';
import { SwarmsealError } from '../errors.js';
import type {
  EffectivePolicy,
  EngineEvent,
  EngineStats,
  Joined,
  JoinRequest,
  Loaded,
  LoadRequest,
  PlayerState,
  SegmentStats,
  ToPage,
  ToWorker,
} from '../messages.js';
import { readBatch, type DeliverTiming, type Output } from './batch.js';
import { camelCase } from './camel-case.js';
import { RelayedChannels, TransferredChannels, type ChannelEvents, type Channels } from './channels.js';
import { Alarm, now } from './clock.js';
import { fromOutbox, intoInbox, type Core } from './core.js';
import { HttpSource } from './http.js';
import { refuseInsecure } from '../secure-transport.js';
import { Requests, type RequestHook } from './requests.js';
import { fetchSealed, MAX_SEALED } from './sealed.js';
import { Store } from './store.js';
import { TrackerSocket } from './tracker-socket.js';

type Bytes = Uint8Array<ArrayBuffer>;
type WithoutJoin<Message> = Message extends { join: number } ? Omit<Message, 'join'> : never;

/** The page, as one join sees it. */
export type Post = (message: WithoutJoin<ToPage>, transfer?: Transferable[]) => void;
/** What the page says about one connection. */
export type PeerMessage = Extract<ToWorker, { peer: number }>;

/** One join: an engine, and everything that moves bytes for it. */
export class Participant {
  readonly joined: Joined;
  readonly #core: Core;
  readonly #peer: Peer;
  readonly #post: Post;
  readonly #requests: Requests;
  readonly #http: HttpSource;
  readonly #tracker: TrackerSocket | null;
  readonly #alarm = new Alarm(() => {
    this.#feed((peer, at) => {
      peer.tick(at);
    });
  });
  readonly #store = new Store();
  /** Pieces that came over HTTP and wait for the engine's verdict. */
  readonly #held = new Map<number, Map<number, Bytes>>();
  readonly #channels = new Map<number, Channels>();
  /** Connections that the engine asked for and has not closed. */
  readonly #dialled = new Set<number>();
  readonly #loads = new Set<number>();
  readonly #inputs: (() => void)[] = [];
  /** Peers that were sent something in this turn. */
  readonly #sentTo = new Set<number>();
  /** The payload of the message that is being handled. */
  #payload: Bytes = EMPTY;
  #busy = false;
  #closed = false;

  /** Fetches the manifest beside the core, verifies it, and starts an engine for it. */
  static async enter(
    core: Promise<Core>,
    request: JoinRequest,
    post: Post,
    hook: RequestHook,
    signal: AbortSignal,
  ): Promise<Participant> {
    const requests = new Requests(new URL(request.manifest), request.asksBeforeHttp ? hook : null);
    const peer = await openVerified(core, request, requests, signal);
    return new Participant(await core, peer, request, requests, post);
  }

  private constructor(core: Core, peer: Peer, request: JoinRequest, requests: Requests, post: Post) {
    this.#core = core;
    this.#peer = peer;
    this.#post = post;
    this.#requests = requests;
    this.joined = JSON.parse(peer.joined()) as Joined;
    const warn = this.#warn.bind(this);
    this.#http = new HttpSource(requests, {
      piece: this.#piece.bind(this),
      sheet: (fetch, bytes) => {
        this.#feed((core, at) => {
          intoInbox(this.#core, core, bytes);
          core.fetchSheet(at, fetch);
        });
      },
      ended: (fetch, outcome) => {
        this.#feed((core, at) => {
          core.fetchEnded(at, fetch, outcome);
        });
      },
      warn,
    });
    this.#tracker =
      request.tracker === null
        ? null
        : new TrackerSocket(request.tracker, core.maxTrackerText, {
            opened: () => {
              this.#feed((core, at) => {
                core.trackerOpened(at);
              });
            },
            message: this.#trackerMessage.bind(this),
            closed: () => {
              this.#feed((core, at) => {
                core.trackerClosed(at);
              });
            },
            warn,
          });
    this.#feed((core, at) => {
      core.wallTime(at, Date.now(), DEVICE_CLOCK_UNCERTAINTY_MS);
    });
  }

  load(id: number, { url, range, deadlineMs, playsAt }: LoadRequest): void {
    const path = this.#peer.pathOf(url);
    if (path === undefined) {
      this.#refuse(id, 'unlisted');
      return;
    }
    this.#requests.remember(path, url);
    this.#loads.add(id);
    this.#feed((core, at) => {
      const deadline = deadlineMs === null ? NaN : at + deadlineMs * 1000;
      core.demand(at, id, path, range?.first ?? NaN, range?.last ?? NaN, deadline, playsAt ?? NaN);
    });
  }

  cancel(id: number): void {
    if (!this.#loads.delete(id)) return;
    this.#post({ type: 'failed', id, failure: { code: 'aborted', message: 'The load was aborted.' } });
    this.#feed((core, at) => {
      core.cancelDemand(at, id);
    });
  }

  stats(): EngineStats {
    return camelCase(JSON.parse(this.#peer.stats())) as EngineStats;
  }

  segments(): SegmentStats[] {
    return camelCase(JSON.parse(this.#peer.segments())) as SegmentStats[];
  }

  player({ position, rate, bufferedEnd, paused, seeking }: PlayerState): void {
    this.#feed((core, at) => {
      core.player(at, position, rate, bufferedEnd, paused, seeking);
    });
  }

  policy(policy: EffectivePolicy): void {
    this.#feed((core, at) => {
      core.policy(at, policy);
    });
  }

  /** What the page says about a connection; one that is closed already is no news to the engine. */
  peerMessage(message: PeerMessage): void {
    const { peer } = message;
    if (!this.#dialled.has(peer)) {
      if (message.type === 'channels') for (const channel of [message.control, message.data]) channel.close();
      return;
    }
    switch (message.type) {
      case 'channels':
        this.#adopt(peer, (events) => new TransferredChannels(message.control, message.data, events));
        break;
      case 'local-description':
        this.#feed((core, at) => {
          core.localDescription(at, peer, message.sdp);
        });
        break;
      case 'local-candidate':
        this.#feed((core, at) => {
          core.localCandidate(at, peer, message.line);
        });
        break;
      case 'local-candidates-end':
        this.#feed((core, at) => {
          core.localCandidatesEnd(at, peer);
        });
        break;
      case 'peer-failed':
        this.#peerFailed(peer, message.code);
        break;
      case 'relay-opened':
        this.#relayed(peer).opened(message.channel);
        break;
      case 'relay-message':
        this.#relayed(peer).message(message.channel, message.data);
        break;
      case 'relay-buffered':
        this.#relayed(peer).reported(message.channel, message.amount);
        break;
      case 'relay-closed':
        this.#relayed(peer).closed();
        break;
    }
  }

  /** Says goodbye, closes everything, and frees the engine. */
  leave(): void {
    this.#feed((core, at) => {
      core.policy(at, { sharing: 'off', uploadBps: null, uploadBytes: null });
    });
    this.close();
    this.#peer.free();
  }

  /** Closes everything without the engine, which may be beyond use. */
  close(): void {
    this.#closed = true;
    this.#alarm.set(null);
    this.#http.close();
    this.#tracker?.close();
    for (const channels of this.#channels.values()) channels.close();
    this.#channels.clear();
    this.#held.clear();
    this.#store.clear();
    for (const id of this.#loads) {
      this.#post({
        type: 'failed',
        id,
        failure: { code: 'left', message: 'This peer has left. Join again.' },
      });
    }
    this.#loads.clear();
  }

  /**
   * Gives the engine one input, and does what it wants done before the next one. What that brings about (a report
   * after a send) waits for its turn.
   */
  #feed(input: (peer: Peer, at: number) => void): void {
    this.#inputs.push(() => {
      this.#turn(input);
    });
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        if (!this.#closed) next();
      }
    } finally {
      this.#busy = false;
    }
  }

  #turn(input: (peer: Peer, at: number) => void): void {
    let outputs: Output[];
    try {
      input(this.#peer, now());
      const length = this.#peer.drain();
      outputs = readBatch(fromOutbox(this.#core, this.#peer, length));
    } catch (error) {
      const refusal = this.#core.judge(error);
      if (refusal?.code === 'invalid_tracker_message') this.#tracker?.refuse(refusal.message);
      else if (refusal !== null) this.#warn(refusal.code, refusal.message);
      return;
    }
    for (const output of outputs) {
      try {
        this.#apply(output);
      } catch (error) {
        this.#warn('worker_fault', `${output.type}: ${String(error)}`);
      }
    }
    for (const peer of this.#sentTo) this.#reportBuffered(peer);
    this.#sentTo.clear();
  }

  #apply(output: Output): void {
    switch (output.type) {
      case 'idle':
        this.#alarm.set(output.wakeAt);
        break;
      case 'fetch-object':
        this.#http.start(output, 'pieces');
        break;
      case 'fetch-sheet':
        this.#http.start(output, 'whole');
        break;
      case 'fetch-whole':
        this.#http.start(output, 'any');
        break;
      case 'abort-fetch':
        this.#http.abort(output.fetch);
        break;
      case 'keep-fetched':
        this.#keepFetched(output);
        break;
      case 'keep-received': {
        const { object, chunk, offset, length } = output;
        this.#store.put(object, chunk, this.#payload.slice(offset, offset + length));
        break;
      }
      case 'forget':
        this.#held.delete(output.fetch);
        break;
      case 'evict':
        this.#store.evict(output.object);
        break;
      case 'deliver':
        this.#deliver(output);
        break;
      case 'deliver-document':
        // A copy: the batch lies in the core's memory.
        this.#answer(output, output.bytes.slice().buffer);
        break;
      case 'refuse':
        this.#refuse(output.demand, output.code);
        break;
      case 'tracker-open':
        this.#tracker?.open();
        break;
      case 'tracker-close':
        this.#tracker?.close();
        break;
      case 'tracker-send':
        this.#tracker?.send(output.text);
        break;
      case 'dial':
        this.#dialled.add(output.peer);
        this.#post(output);
        break;
      case 'remote-description':
      case 'remote-candidate':
        this.#post(output);
        break;
      case 'close':
        this.#closePeer(output.peer);
        break;
      case 'send':
        this.#send(output.peer, 0, output.bytes);
        break;
      case 'send-data': {
        const { peer, head, object, first, count } = output;
        const message = this.#store.message(head, object, first, count);
        if (message !== null && peer === TRACKER) this.#tracker?.send(message);
        else if (message !== null) this.#send(peer, 1, message);
        else
          this.#warn(
            'store_mismatch',
            `Chunks of ${object.track}/${object.index} are to be sent and not held.`,
          );
        break;
      }
      case 'event':
        this.#post({ type: 'event', event: camelCase(output.event) as EngineEvent });
        break;
    }
  }

  #piece(fetch: number, piece: number, bytes: Bytes): void {
    let held = this.#held.get(fetch);
    if (held === undefined) this.#held.set(fetch, (held = new Map<number, Bytes>()));
    held.set(piece, bytes);
    this.#feed((core, at) => {
      intoInbox(this.#core, core, bytes);
      core.fetchPiece(at, fetch, piece);
    });
  }

  #keepFetched({ fetch, piece, object, chunk }: Extract<Output, { type: 'keep-fetched' }>): void {
    const held = this.#held.get(fetch);
    const bytes = held?.get(piece);
    if (held === undefined || bytes === undefined) {
      this.#warn('store_mismatch', `The engine keeps piece ${piece} of request ${fetch}, which is not held.`);
      return;
    }
    this.#store.put(object, chunk, bytes);
    held.delete(piece);
  }

  #deliver(output: Extract<Output, { type: 'deliver' }>): void {
    if (!this.#loads.has(output.demand)) return;
    // The player's own copy: players transfer buffers away.
    const body = this.#store.assemble(output.spans);
    if (body === null) this.#refuse(output.demand, 'store_mismatch');
    else this.#answer(output, body);
  }

  #answer(output: Extract<Output, { type: 'deliver' | 'deliver-document' }>, body: ArrayBuffer): void {
    const { demand, mediaType, fromPeers, fromHttp } = output;
    if (!this.#loads.delete(demand)) return;
    const answer: Loaded = {
      body,
      mediaType,
      fromPeers,
      fromHttp,
      timing: inMilliseconds(output.timing),
    };
    this.#post({ type: 'answer', id: demand, body: answer }, [body]);
  }

  #refuse(id: number, code: string): void {
    this.#loads.delete(id);
    this.#post({ type: 'failed', id, failure: { code, message: REFUSALS[code] ?? code } });
  }

  #trackerMessage(message: unknown): void {
    this.#feed((core, at) => {
      core.tracker(at, message);
    });
  }

  #adopt(peer: number, make: (events: ChannelEvents) => Channels): void {
    const report = (): void => {
      this.#reportBuffered(peer);
    };
    const channels = make({
      opened: () => {
        this.#feed((core, at) => {
          core.peerOpened(at, peer);
        });
      },
      message: (channel, bytes) => {
        this.#received(peer, channel, bytes);
      },
      low: report,
      closed: () => {
        this.#feed((core, at) => {
          core.peerClosed(at, peer);
        });
      },
    });
    this.#channels.set(peer, channels);
  }

  /** The relay to a peer's channels, which comes into being with the page's first word about them. */
  #relayed(peer: number): RelayedChannels {
    const known = this.#channels.get(peer);
    if (known instanceof RelayedChannels) return known;
    let relayed!: RelayedChannels;
    this.#adopt(peer, (events) => {
      relayed = new RelayedChannels((channel, data) => {
        this.#post({ type: 'relay-send', peer, channel, data }, [data]);
      }, events);
      return relayed;
    });
    return relayed;
  }

  #received(peer: number, channel: 0 | 1, bytes: Bytes): void {
    this.#feed((core, at) => {
      intoInbox(this.#core, core, bytes);
      if (channel === 0) {
        core.message(at, peer);
      } else {
        this.#payload = bytes.subarray(Math.min(bytes.length, this.#core.dataHead));
        core.data(at, peer);
      }
    });
  }

  #send(peer: number, channel: 0 | 1, bytes: Bytes): void {
    const channels = this.#channels.get(peer);
    if (channels === undefined) return;
    try {
      channels.send(channel, bytes);
      this.#sentTo.add(peer);
    } catch {
      // Closed a moment ago, or its queue is full, which the engine's limits forbid.
      this.#peerFailed(peer, 'connection_lost');
    }
  }

  #reportBuffered(peer: number): void {
    const buffered = this.#channels.get(peer)?.buffered();
    if (buffered === undefined) return;
    this.#feed((core, at) => {
      core.writable(at, peer, buffered);
    });
  }

  #peerFailed(peer: number, reason: string): void {
    this.#feed((core, at) => {
      core.peerFailed(at, peer, reason);
    });
  }

  #closePeer(peer: number): void {
    this.#dialled.delete(peer);
    this.#channels.get(peer)?.close();
    this.#channels.delete(peer);
    this.#post({ type: 'close', peer });
  }

  #warn(code: string, message: string): void {
    this.#post({ type: 'event', event: { type: 'warning', code, message } });
  }
}

/** A manifest that does not verify is fetched once more, past every cache, before it is believed to be wrong. */
async function openVerified(
  core: Promise<Core>,
  request: JoinRequest,
  requests: Requests,
  signal: AbortSignal,
): Promise<Peer> {
  const url = new URL(request.manifest);
  let { sealed: file } = request;
  for (let cache: RequestCache = 'no-cache'; ; cache = 'reload') {
    const sealed =
      file && file.size <= MAX_SEALED
        ? new Uint8Array(await file.arrayBuffer())
        : await fetchSealed(requests, url, cache, signal);
    file = null;
    const loaded = await core;
    try {
      return loaded.open(
        {
          manifestUrl: request.manifest,
          content: request.content,
          trust: request.trust,
          trackerKeys: request.trackerKeys,
          tracker: request.tracker !== null,
          allowLoopback: request.tracker !== null && isLoopback(request.tracker),
          policy: request.policy,
          storeBytes: request.maxStoreBytes,
          unixMs: Date.now(),
          memory: request.memory,
          ...(request.head !== null && { liveMemory: request.head }),
        },
        sealed,
        now(),
      );
    } catch (error) {
      const refusal = loaded.judge(error) ?? { code: 'core_poisoned', message: 'The core has failed.' };
      if (cache === 'reload' || !CURED_BY_RELOAD.has(refusal.code)) {
        throw new SwarmsealError(refusal.code, refusal.message);
      }
    }
  }
}

/** `PeerId::TRACKER` of the core. */
const TRACKER = 0;

/** The local demo: a tracker on this machine. */
function isLoopback(tracker: string): boolean {
  try {
    refuseInsecure(new URL(`ws://${new URL(tracker).host}`));
    return true;
  } catch {
    return false;
  }
}

function inMilliseconds({ askedAt, firstByteAt, doneAt, transferUs }: DeliverTiming) {
  const after = (time: number): number => Math.max(0, time - askedAt) / 1000;
  // What the bytes did not need to arrive was waiting by choice, before the first of them.
  const startedMs = after(doneAt - transferUs);
  return {
    startedMs,
    firstByteMs: Math.max(startedMs, after(firstByteAt)),
    doneMs: after(doneAt),
    transferMs: transferUs / 1000,
  };
}

const EMPTY = new Uint8Array(0);
/** Without a tracker's word: two days, which covers a wrong time zone and a wrong date. */
const DEVICE_CLOCK_UNCERTAINTY_MS = 2 * 86_400_000;
/** What a stale or damaged copy in a cache looks like. */
const CURED_BY_RELOAD: ReadonlySet<string> = new Set([
  'bad_signature',
  'expired',
  'malformed',
  'not_deterministic',
  'rollback',
]);
const REFUSALS: Partial<Record<string, string>> = {
  unlisted:
    'The manifest does not list this URL. Publish it with the content, or name a passThrough prefix if it lies outside.',
  range_outside: 'The range lies outside of the listed bytes of this URL.',
  unavailable: 'No source had it: see the events and the network panel.',
  corrupt_source: 'What the server sends is not what was published: see the event source_blamed.',
  not_yet_stated: 'No live head states it in time: see the events.',
  busy: 'Too many loads are under way at once.',
  store_mismatch: 'The engine and the store do not agree. This is a fault of swarmseal: please report it.',
};
