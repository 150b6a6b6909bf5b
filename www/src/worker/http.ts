import { SwarmsealError } from '../errors.js';
import type { FetchOrder } from './batch.js';
import { get, readAtMost, type Requests } from './requests.js';
import { CHUNK } from './store.js';

type Bytes = Uint8Array<ArrayBuffer>;

/** How a request ended: all bytes, more or fewer of them, no answer, stopped by us, or a status that is no success. */
export type FetchOutcome = 'complete' | 'wrong-length' | 'network' | 'aborted' | { status: number };

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
  ended(fetch: number, outcome: FetchOutcome): void;
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
    let outcome: FetchOutcome;
    try {
      outcome = await this.#receive(order, body, signal);
    } catch (error) {
      outcome = signal.aborted ? 'aborted' : 'network';
      if (outcome === 'network' && error instanceof SwarmsealError)
        this.#sink.warn(error.code, error.message);
    }
    if (this.#running.delete(order.fetch)) this.#sink.ended(order.fetch, outcome);
  }

  async #receive(order: FetchOrder, body: BodyForm, signal: AbortSignal): Promise<FetchOutcome> {
    const { fetch: id, path, range, length, reload } = order;
    const response = await get(this.#requests, this.#requests.urlOf(path), signal, {
      ...(range !== null && { range: `bytes=${range.first}-${range.last}` }),
      ...(reload && { cache: 'reload' }),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return { status: response.status };
    }
    if (body === 'any') {
      const bytes = await readAtMost(response, length);
      if (bytes === null) return 'wrong-length';
      if (this.#running.has(id)) this.#sink.sheet(id, bytes);
      return 'complete';
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
    const reader = response.body?.getReader();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) return pieces.complete ? 'complete' : 'wrong-length';
      const surplus = pieces.push(value, deliver);
      if (pieces.complete && (surplus || cutting)) {
        await reader?.cancel();
        return cutting ? 'complete' : 'wrong-length';
      }
    }
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
