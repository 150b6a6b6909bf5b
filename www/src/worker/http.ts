import { SwarmsealError } from '../errors.js';
import type { FetchOrder } from './batch.js';
import { blocksOf, get, readAtMost, type Requests } from './requests.js';
import { CHUNK } from './store.js';

type Bytes = Uint8Array<ArrayBuffer>;

/** How a request ended, as `src/wasm/peer.rs` reads it; any other number is a status that is no success. */
export enum Ended {
  Complete,
  /** No answer, or the connection broke. */
  Network,
  /** By us. */
  Aborted,
  /** More or fewer bytes. */
  WrongLength,
}

/**
 * How a body is handed over: in pieces as they come, or whole, as a sheet. `any`: of whatever length, up to that of the
 * order.
 */
export type BodyForm = 'pieces' | 'whole' | 'any';

/** Where the bytes go. */
export interface HttpSink {
  /** Pieces of 16 KiB in order, the last one shorter; each in a buffer of its own. */
  piece(fetch: number, piece: number, bytes: Bytes): void;
  sheet(fetch: number, bytes: Bytes): void;
  ended(fetch: number, outcome: number): void;
  /** Something that nobody else will tell the page. */
  warn(code: string, message: string): void;
}

/**
 * The content over HTTP: one plain GET per order, with a Range header only if a part is asked for. Nothing is read
 * from response headers but the status; whether the bytes are right is the engine's business.
 */
export class HttpSource {
  readonly #requests: Requests;
  readonly #sink: HttpSink;
  readonly #running = new Map<number, AbortController>();

  constructor(requests: Requests, sink: HttpSink) {
    this.#requests = requests;
    this.#sink = sink;
  }

  start(order: FetchOrder, body: BodyForm): void {
    const controller = new AbortController();
    this.#running.set(order.fetch, controller);
    void this.#run(order, body, controller.signal);
  }

  abort(fetch: number): void {
    this.#running.get(fetch)?.abort();
  }

  /** Stops everything and says nothing more. */
  close(): void {
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
  }

  async #run(order: FetchOrder, body: BodyForm, signal: AbortSignal): Promise<void> {
    let outcome;
    try {
      outcome = await this.#receive(order, body, signal);
    } catch (error) {
      outcome = signal.aborted ? Ended.Aborted : Ended.Network;
      if (outcome === Ended.Network && error instanceof SwarmsealError)
        this.#sink.warn(error.code, error.message);
    }
    if (this.#running.delete(order.fetch)) this.#sink.ended(order.fetch, outcome);
  }

  async #receive(order: FetchOrder, body: BodyForm, signal: AbortSignal): Promise<number> {
    const { fetch: id, path, range, length, reload } = order;
    const response = await get(this.#requests, this.#requests.urlOf(path), signal, {
      ...(range !== null && { range: `bytes=${range.first}-${range.last}` }),
      ...(reload && { cache: 'reload' }),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return response.status;
    }
    if (body === 'any') {
      const bytes = await readAtMost(response, length);
      if (bytes === null) return Ended.WrongLength;
      if (this.#running.has(id)) this.#sink.sheet(id, bytes);
      return Ended.Complete;
    }
    // A server that ignores Range sends everything: what was asked for is cut out of it.
    const cutting = range !== null && response.status !== PARTIAL_CONTENT;
    const whole = body === 'whole';
    const pieces = new Pieces(whole ? length : CHUNK, length, cutting ? range.first : 0);
    const deliver = (piece: Bytes, index: number): void => {
      if (!this.#running.has(id)) return;
      if (whole) this.#sink.sheet(id, piece);
      else this.#sink.piece(id, index, piece);
    };
    for await (const block of blocksOf(response)) {
      const surplus = pieces.push(block, deliver);
      if (pieces.complete && (surplus || cutting)) return cutting ? Ended.Complete : Ended.WrongLength;
    }
    return pieces.complete ? Ended.Complete : Ended.WrongLength;
  }
}

/** Cuts a stream of any blocks into pieces of one size, each in a buffer of its own. */
class Pieces {
  readonly #size: number;
  #skip: number;
  #missing: number;
  #piece: Bytes;
  #filled = 0;
  #index = 0;

  constructor(size: number, length: number, skip: number) {
    this.#size = size;
    this.#skip = skip;
    this.#missing = length;
    this.#piece = new Uint8Array(Math.min(size, length));
  }

  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Returns whether there was more than fits. */
  push(block: Uint8Array, deliver: (piece: Bytes, index: number) => void): boolean {
    let rest = block.subarray(this.#skip);
    this.#skip = Math.max(0, this.#skip - block.length);
    while (rest.length > 0 && !this.complete) {
      const taken = rest.subarray(0, this.#piece.length - this.#filled);
      this.#piece.set(taken, this.#filled);
      this.#filled += taken.length;
      this.#missing -= taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filled === this.#piece.length) {
        const full = this.#piece;
        this.#piece = new Uint8Array(Math.min(this.#size, this.#missing));
        this.#filled = 0;
        deliver(full, this.#index++);
      }
    }
    return rest.length > 0;
  }
}

const PARTIAL_CONTENT = 206;
