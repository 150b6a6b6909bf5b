import { aborted, SwarmsealError } from './errors.js';
import type { JoinRequest, ToPage, ToWorker } from './messages.js';
import type { Incoming } from './connections.js';

/** What a join does when the worker speaks to it, dies, or comes back. */
export interface Seat {
  readonly join: number;
  handle(message: Incoming): void;
  /** The request to join again in a new worker, its connections being gone. */
  lost(withPeers: boolean): JoinRequest;
  /** It is back, as the request said. */
  rejoined(): void;
  /** It cannot be brought back. */
  failed(error: SwarmsealError): void;
}

type Question = Extract<ToWorker, { id: number }> & {
  type: 'join' | 'leave' | 'load' | 'stats' | 'segments';
};
type Answer = Extract<ToPage, { type: 'answer' }>['body'];

interface Pending {
  question: Question;
  resolve: (answer: Answer) => void;
  reject: (error: SwarmsealError) => void;
}

/**
 * The page's one worker, and its replacement when it dies: once with peers, once without, and then no more. What
 * was asked and not answered is asked again, so that a caller only notices the time it took.
 */
export class WorkerLink {
  readonly #worker: URL;
  readonly #wasm: URL;
  readonly #key: string;
  readonly #seats = new Map<number, Seat>();
  readonly #pending = new Map<number, Pending>();
  /** Joins on their way into a new worker: what they ask waits. */
  readonly #held = new Set<number>();
  #running: Worker | null = null;
  #losses = 0;
  #spoke = false;
  #unanswered = 0;
  #watch: ReturnType<typeof setInterval> | undefined;
  #nextId = 1;
  /** Why it was given up, if it was. */
  #givenUp: SwarmsealError | null = null;

  /** The link for these assets; every join of a page that names the same ones shares it. */
  static to(worker: URL, wasm: URL): WorkerLink {
    const key = `${worker.href} ${wasm.href}`;
    const link = links.get(key) ?? new WorkerLink(worker, wasm, key);
    links.set(key, link);
    return link;
  }

  private constructor(worker: URL, wasm: URL, key: string) {
    this.#worker = worker;
    this.#wasm = wasm;
    this.#key = key;
  }

  get losses(): number {
    return this.#losses;
  }

  join(seat: Seat, request: JoinRequest, signal?: AbortSignal): Promise<Answer> {
    this.#seats.set(seat.join, seat);
    this.start();
    return this.#ask({ type: 'join', join: seat.join, id: this.nextId(), request }, signal);
  }

  /** Ends what the join still waits for, and with the last join the worker. */
  leave(join: number, why = new SwarmsealError('left', 'This peer has left. Join again.')): void {
    this.#seats.delete(join);
    this.#held.delete(join);
    for (const [id, { question, reject }] of this.#pending) {
      if (question.join === join) {
        this.#pending.delete(id);
        reject(why);
      }
    }
    if (this.#seats.size === 0) {
      this.#stop();
      links.delete(this.#key);
    }
  }

  nextId(): number {
    return this.#nextId++;
  }

  ask(question: Exclude<Question, { type: 'join' }>, signal?: AbortSignal): Promise<Answer> {
    return this.#ask(question, signal);
  }

  post(message: ToWorker, transfer: Transferable[] = []): void {
    const held = 'join' in message && message.type !== 'join' && this.#held.has(message.join);
    if (!held) this.#running?.postMessage(message, transfer);
  }

  async #ask(question: Question, signal?: AbortSignal): Promise<Answer> {
    if (signal?.aborted === true || this.#givenUp !== null) throw this.#givenUp ?? aborted(signal);
    let abort!: () => void;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        abort = () => {
          this.#pending.delete(question.id);
          this.post({ type: 'cancel', join: question.join, id: question.id });
          reject(aborted(signal));
        };
        signal?.addEventListener('abort', abort);
        this.#pending.set(question.id, { question, resolve, reject });
        this.post(question);
      });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Starts the worker unless it runs. A join that will come soon need not be here yet. */
  start(): void {
    if (this.#running !== null || this.#givenUp !== null) return;
    this.#unanswered = 0;
    try {
      const worker = startWorker(this.#worker);
      this.#running = worker;
      // The core comes beside the worker's script, not after it.
      void fetched(this.#wasm.href).then((core) => {
        worker.postMessage({ type: 'start', wasm: this.#wasm.href, core } satisfies ToWorker);
      });
      worker.onmessage = ({ data }: MessageEvent<ToPage>) => {
        this.#spoke = true;
        this.#unanswered = 0;
        this.#handle(data);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        this.#lose(event.message);
      };
      worker.onmessageerror = () => {
        this.#lose('a message could not be read');
      };
    } catch (error) {
      this.#lose(String(error));
      return;
    }
    this.#watch = setInterval(() => {
      if (this.#unanswered++ >= SILENT_TICKS) this.#lose('it does not answer');
      else this.post({ type: 'ping' });
    }, TICK_MS);
  }

  #stop(): void {
    clearInterval(this.#watch);
    this.#running?.terminate();
    this.#running = null;
  }

  #handle(message: ToPage): void {
    switch (message.type) {
      case 'pong':
        break;
      case 'poisoned':
        this.#lose(message.message);
        break;
      case 'answer':
        this.#settle(message.id)?.resolve(message.body);
        break;
      case 'failed':
        this.#settle(message.id)?.reject(new SwarmsealError(message.failure.code, message.failure.message));
        break;
      default:
        this.#seats.get(message.join)?.handle(message);
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #lose(why = 'no reason'): void {
    this.#stop();
    this.#losses += 1;
    if (!this.#spoke) {
      this.#giveUp(
        new SwarmsealError(
          'worker_unavailable',
          `The worker ${this.#worker.href} does not start (${why}). Is it served, and allowed by the CSP (worker-src; blob: and its origin if another)?`,
        ),
      );
    } else if (this.#losses > REPLACEMENTS) {
      this.#giveUp(
        new SwarmsealError('worker_failed', `The worker died ${this.#losses} times (${why}). Reload.`),
      );
    } else {
      this.start();
      for (const seat of this.#seats.values()) void this.#rejoin(seat);
    }
  }

  async #rejoin(seat: Seat): Promise<void> {
    const request = seat.lost(this.#losses < REPLACEMENTS);
    const asked = [...this.#pending.values()].map(({ question }) => question);
    const joining = asked.find(({ join, type }) => join === seat.join && type === 'join');
    if (joining?.type === 'join') {
      // It, or the one before it, never came to be.
      joining.request = request;
      this.post(joining);
      return;
    }
    this.#held.add(seat.join);
    try {
      await this.#ask({ type: 'join', join: seat.join, id: this.nextId(), request });
      this.#held.delete(seat.join);
      for (const { question } of this.#pending.values()) if (question.join === seat.join) this.post(question);
      seat.rejoined();
    } catch (error) {
      if (this.#seats.has(seat.join)) seat.failed(error as SwarmsealError);
      this.leave(seat.join, error as SwarmsealError);
    }
  }

  #giveUp(error: SwarmsealError): void {
    this.#givenUp = error;
    links.delete(this.#key);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    for (const seat of this.#seats.values()) seat.failed(error);
    this.#seats.clear();
  }
}

/** A page may start only scripts of its own origin as workers; another's is imported by a small one of ours. */
function startWorker(url: URL): Worker {
  if (url.origin === location.origin) return new Worker(url, { name: NAME });
  const source = `importScripts(${JSON.stringify(url.href)})`;
  const own = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(own, { name: NAME });
  // Not at once: Firefox reads it later.
  worker.addEventListener(
    'message',
    () => {
      URL.revokeObjectURL(own);
    },
    { once: true },
  );
  return worker;
}

/** What lies at `url`; null if that is not to be had. A Blob: the worker looks at its size before it is in any memory. */
export function fetched(url: string, init?: RequestInit): Promise<Blob | null> {
  return fetch(url, init)
    .then((response) => (response.ok ? response.blob() : null))
    .catch(() => null);
}

const links = new Map<string, WorkerLink>();
const NAME = 'swarmseal';
const REPLACEMENTS = 2;
const TICK_MS = 1000;
const SILENT_TICKS = 5;
