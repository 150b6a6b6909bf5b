import { Connections, type ConnectionState, type Incoming, type Outgoing } from './connections.js';
import { Emitter } from './emitter.js';
import { aborted, SwarmsealError } from './errors.js';
import { checkRange, parseRange, verifiedResponse } from './http-semantics.js';
import type { Memory } from './memory.js';
import type {
  ByteRange,
  EngineEvent,
  EngineStats,
  Joined,
  JoinRequest,
  Loaded,
  LoadRequest,
  LoadTiming,
  SegmentStats,
} from './messages.js';
import { absolute, type CheckedOptions, type Policy } from './options.js';
import { followPlayhead, type Player } from './playhead.js';
import { SharingPolicy, type SharingState } from './sharing.js';
import { fetched, type Seat, type WorkerLink } from './worker-link.js';

export interface LoadOptions {
  /** Both bounds included, as in a Range header. Default: everything. */
  range?: ByteRange;
  /** Milliseconds from now by which the bytes are needed. Default: what the play head says, or at once. */
  deadline?: number;
  /**
   * Where the bytes play on the player's own timeline, in seconds. Live players begin theirs where they joined; with this
   * the engine knows what its play head means in media time.
   */
  playsAt?: number | undefined;
  signal?: AbortSignal;
}

/** Verified bytes, and where they came from. */
export interface LoadResult {
  /** The caller's own copy. */
  data: ArrayBuffer;
  mediaType: string;
  fromPeers: number;
  fromHttp: number;
  /** Null for what was passed through: it was neither verified nor measured. */
  timing: LoadTiming | null;
}

export interface Stats extends EngineStats {
  content: string;
  version: number;
  sharing: SharingState;
  /** Connections as the browser sees them; `failures` counts why others did not come about. */
  connections: ConnectionState[];
  /** URLs outside the content that were fetched directly. */
  passThrough: { requests: number; bytes: number };
  /** How often the worker was replaced; from the second time on there are no peers. */
  workerReplaced: number;
}

type Kebab<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}-${Kebab<Tail>}`
  : Name;

/** Every event of the engine under its name (`peer-connected`, …), and those of the page's side. */
export type PeerEvents = {
  [Event in EngineEvent as Kebab<Event['type']>]: Omit<Event, 'type'>;
} & {
  'policy-changed': SharingState;
  /** The worker died and was replaced; loads under way go on. */
  'worker-replaced': { withPeers: boolean };
  /** Nothing more can be loaded. */
  error: SwarmsealError;
};

/** One joined content. */
export class Peer extends Emitter<PeerEvents> {
  readonly #seat: PeerSeat;

  /** @internal Made by `join`. */
  constructor(seat: PeerSeat) {
    super();
    this.#seat = seat;
    seat.emit = (type, detail) => {
      this.emit(type, detail);
    };
  }

  /** The content id, as `join({ content })` takes it. */
  get content(): string {
    return this.#seat.joined.content;
  }

  /** The manifest's version. */
  get version(): number {
    return this.#seat.joined.version;
  }

  /** Verified bytes of a listed URL, from wherever they come first. */
  async load(url: string | URL, options: LoadOptions = {}): Promise<LoadResult> {
    const { range, deadline = null, playsAt, signal } = options;
    const target = absolute('url', url).href;
    const request = { url: target, range: range ? checkRange(range) : null, deadlineMs: deadline, playsAt };
    try {
      const { body: data, ...about } = await this.#seat.ask<Loaded>('load', request, signal);
      return { data, ...about };
    } catch (error) {
      if (!this.#passesThrough(target, error)) throw error;
      const headers = request.range ? { Range: `bytes=${request.range.first}-${request.range.last}` } : {};
      const response = await this.#fetchDirectly(new Request(target, { headers, signal: signal ?? null }));
      if (!response.ok) {
        throw new SwarmsealError('http_error', `${target} has status ${response.status}.`);
      }
      const data = await response.arrayBuffer();
      this.#seat.passThrough.bytes += data.byteLength;
      const mediaType = response.headers.get('Content-Type') ?? '';
      return { data, mediaType, fromPeers: 0, fromHttp: data.byteLength, timing: null };
    }
  }

  /** `load` in the form of fetch(): GET and HEAD, `Range` and `signal` are heeded, other headers have no meaning. */
  async fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const request = new Request(input instanceof Request ? input : absolute('url', input), init);
    const { url, method, signal, headers } = request;
    const asked = parseRange(headers.get('Range'));
    try {
      if (method !== 'GET' && method !== 'HEAD') {
        throw new SwarmsealError('unlisted', `Signed content has no ${method}.`);
      }
      const range = asked !== null && 'first' in asked && asked.last !== null ? asked : null;
      const { body, mediaType } = await this.#seat.ask<Loaded>(
        'load',
        { url, range, deadlineMs: null },
        signal,
      );
      const response = verifiedResponse(url, body, mediaType, asked);
      return method === 'HEAD' ? new Response(null, response) : response;
    } catch (error) {
      if (!this.#passesThrough(url, error)) throw error;
      const response = await this.#fetchDirectly(request);
      void this.#countBody(response.clone());
      return response;
    }
  }

  async stats(): Promise<Stats> {
    const { joined, sharing, connections, passThrough, link } = this.#seat;
    const engine = await this.#seat.ask<EngineStats>('stats');
    return {
      ...engine,
      content: joined.content,
      version: joined.version,
      sharing: sharing.state(),
      connections: connections.states(),
      passThrough: { ...passThrough },
      workerReplaced: link.losses,
    };
  }

  /** Every object that is wanted, arriving or held. */
  segments(): Promise<SegmentStats[]> {
    return this.#seat.ask<SegmentStats[]>('segments');
  }

  /** Follows a player's play head, so that the engine knows what is needed when. Returns a function that stops it. */
  attach(player: Player): () => void {
    return this.#seat.follow(player);
  }

  /** Changes what is named, at run time. */
  setPolicy(change: Partial<Policy>): void {
    this.#seat.sharing.set(change);
  }

  /** The viewer's answer to `share: 'ask'`; `consent(false)` takes it back. */
  consent(given = true): void {
    this.#seat.sharing.consent(given);
  }

  /** Says goodbye, closes every connection and forgets every byte. */
  leave(): Promise<void> {
    return this.#seat.leave();
  }

  /** Content comes first: a prefix that covers listed URLs does not take them out of verification. */
  #passesThrough(url: string, error: unknown): boolean {
    return (
      error instanceof SwarmsealError &&
      error.code === 'unlisted' &&
      this.#seat.options.passThrough.some((prefix) => url.startsWith(prefix))
    );
  }

  async #fetchDirectly(request: Request): Promise<Response> {
    this.#seat.passThrough.requests += 1;
    try {
      return await fetch(request);
    } catch (cause) {
      if (request.signal.aborted) throw aborted(request.signal);
      throw new SwarmsealError('http_error', `${request.url} cannot be reached.`, { cause });
    }
  }

  async #countBody(copy: Response): Promise<void> {
    const body = await copy.arrayBuffer().catch(() => new ArrayBuffer(0));
    this.#seat.passThrough.bytes += body.byteLength;
  }
}

/** What a peer is made of: its place in the worker, its connections, its policy. */
export class PeerSeat implements Seat {
  readonly join: number;
  readonly connections: Connections;
  readonly sharing: SharingPolicy;
  readonly passThrough = { requests: 0, bytes: 0 };
  joined: Joined = { content: '', version: 0, expires: 0, memory: { seen: [], pins: [] } };
  emit: <Type extends keyof PeerEvents>(type: Type, detail: PeerEvents[Type]) => void = () => undefined;
  #ended: SwarmsealError | null = null;
  readonly #ending = new AbortController();
  readonly #memory: Memory;

  constructor(
    readonly options: CheckedOptions,
    readonly link: WorkerLink,
    memory: Memory,
  ) {
    this.join = link.nextId();
    this.#memory = memory;
    this.connections = new Connections(options.rtc, (message, transfer) => {
      this.#post(message, transfer);
    });
    const { signal } = this.#ending;
    this.sharing = new SharingPolicy(
      options.policy,
      () => {
        this.#tellPolicy();
      },
      signal,
    );
    // What may be frozen must hold no connection; what is closed should say so at once.
    addEventListener(
      'pagehide',
      () => {
        this.sharing.hide(true);
        this.connections.closeAll();
      },
      { signal },
    );
    addEventListener(
      'pageshow',
      ({ persisted }) => {
        if (persisted) this.sharing.hide(false);
      },
      { signal },
    );
  }

  async enter(signal?: AbortSignal): Promise<void> {
    const request = this.#request(true);
    // Beside the worker's script, not after it. Whatever does not go smoothly is the worker's to try again, and to explain.
    const init = { cache: 'no-cache', redirect: 'error', signal } as RequestInit;
    this.link.start();
    if (!request.asksBeforeHttp) request.sealed = await soon(fetched(request.manifest, init));
    try {
      this.joined = (await this.link.join(this, request, signal)) as Joined;
    } catch (error) {
      this.#end(error as SwarmsealError);
      this.link.leave(this.join);
      throw error;
    }
    this.rejoined();
    this.#memory.remember(this.joined.memory);
  }

  async ask<Body>(
    type: 'load' | 'stats' | 'segments' | 'leave',
    request?: LoadRequest,
    signal?: AbortSignal,
  ): Promise<Body> {
    if (this.#ended !== null) throw this.#ended;
    const question = { type, join: this.join, id: this.link.nextId(), request };
    return (await this.link.ask(question as Parameters<WorkerLink['ask']>[0], signal)) as Body;
  }

  handle(message: Incoming): void {
    switch (message.type) {
      case 'event': {
        const { type, ...detail } = message.event;
        if (type === 'head_taken') this.#memory.keepHead(this.joined.content, detail);

        // The map of events is made from the union, which TypeScript cannot follow member by member.
        this.emit(type.replaceAll('_', '-') as 'warning', detail as PeerEvents['warning']);
        break;
      }
      case 'remember':
        this.#memory.remember(message.memory);
        break;
      case 'http-request':
        void this.#changeRequest(message.id, message.url);
        break;
      default:
        this.connections.handle(message);
    }
  }

  lost(withPeers: boolean): JoinRequest {
    this.connections.closeAll();
    this.emit('worker-replaced', { withPeers });
    return this.#request(withPeers);
  }

  rejoined(): void {
    this.#tellPolicy();
  }

  failed(error: SwarmsealError): void {
    this.#end(error);
    this.emit('error', error);
  }

  follow(player: Player): () => void {
    if (this.#ended !== null) throw this.#ended;
    const stop = followPlayhead(player, (state) => {
      this.#post({ type: 'player', state });
    });
    this.#ending.signal.addEventListener('abort', stop);
    return stop;
  }

  async leave(): Promise<void> {
    if (this.#ended !== null) return;
    const goodbye = this.ask<null>('leave');
    this.#end(new SwarmsealError('left', 'This peer has left. Join again.'));
    // A worker that is dead or busy must not keep the page waiting.
    await soon(goodbye.catch(() => null));
    this.link.leave(this.join);
  }

  #request(withPeers: boolean): JoinRequest {
    const { request } = this.options;
    return {
      ...request,
      tracker: withPeers && 'RTCPeerConnection' in globalThis ? request.tracker : null,
      policy: this.sharing.effective(),
      memory: this.#memory.recall(),
      head: this.#memory.head(request.content),
    };
  }

  #post(message: Outgoing, transfer?: Transferable[]): void {
    this.link.post({ ...message, join: this.join }, transfer);
  }

  #tellPolicy(): void {
    this.#post({ type: 'policy', policy: this.sharing.effective() });
    this.emit('policy-changed', this.sharing.state());
  }

  async #changeRequest(id: number, url: string): Promise<void> {
    try {
      const change = (await this.options.changeRequest?.(url)) ?? {};
      const request = { url, headers: {}, credentials: null, ...change };
      request.url = absolute('http.request', request.url).href;
      this.#post({ type: 'http-request-made', id, request });
    } catch (error) {
      const message = `http.request failed for ${url}: ${String(error)}`;
      this.#post({ type: 'http-request-refused', id, message });
    }
  }

  #end(error: SwarmsealError): void {
    this.#ended = error;
    this.#ending.abort();
    this.connections.closeAll();
  }
}

/** What comes soon, or null. */
function soon<T>(coming: Promise<T>): Promise<T | null> {
  return Promise.race([coming, new Promise<null>((resolve) => setTimeout(resolve, SOON_MS, null))]);
}

const SOON_MS = 2000;
