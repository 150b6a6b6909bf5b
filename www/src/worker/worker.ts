/**
 * The worker: one for all joins of a page. It owns the core, and passes what the page says to the join that it
 * concerns. It makes no decision about the protocol; engines do.
 */

import { Peer, dataHeadLength, initSync, maxTrackerText, poisoned } from '../../core/core.js';
import { SwarmsealError } from '../errors.js';
import type { EffectivePolicy, HttpRequest, ToPage, ToWorker } from '../messages.js';
import { assembled } from './columns.js';
import { isRefusal, type Core } from './core.js';
import { Participant, type Post } from './participant.js';
import { refusedByPage, type RequestHook } from './requests.js';

type Message<Type extends ToWorker['type']> = Extract<ToWorker, { type: Type }>;

/** A join, from the first word about it to the last. */
interface Entry {
  readonly post: Post;
  readonly asked: AbortController;
  /** null: on its way in. */
  participant: Participant | null;
  /** What the page decided meanwhile. */
  policy: EffectivePolicy | null;
}

interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  onunhandledrejection: ((event: PromiseRejectionEvent) => void) | null;
  postMessage(message: ToPage, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const joins = new Map<number, Entry>();
const hooks = new Map<number, { resolve: (request: HttpRequest) => void; reject: (error: Error) => void }>();
let start: (core: Promise<Core>) => void;
const core = new Promise<Core>((resolve) => (start = resolve));
let nextHook = 1;
let dead = false;
/** The core's last words, once there is a core. */
let panicked: typeof poisoned = () => false;

scope.onmessage = ({ data }) => {
  if (dead) return;
  try {
    take(data);
  } catch (error) {
    fail(error);
  }
};
scope.onunhandledrejection = (event) => {
  event.preventDefault();
  fail(event.reason);
};

function take(message: ToWorker): void {
  switch (message.type) {
    case 'start':
      start(load(message));
      // Whoever joins will hear of it.
      core.catch(() => null);
      break;
    case 'ping':
      scope.postMessage({ type: 'pong' });
      break;
    case 'join':
      void join(message);
      break;
    case 'http-request-made':
      settleHook(message.id)?.resolve(message.request);
      break;
    case 'http-request-refused':
      settleHook(message.id)?.reject(refusedByPage(message.message));
      break;
    default: {
      const entry = joins.get(message.join);
      if (entry === undefined) answerLeft(message);
      else pass(entry, message);
    }
  }
}

function pass(
  entry: Entry,
  message: Exclude<
    ToWorker,
    { type: 'start' | 'ping' | 'join' | 'http-request-made' | 'http-request-refused' }
  >,
): void {
  const { participant, post } = entry;
  if (message.type === 'leave') {
    joins.delete(message.join);
    entry.asked.abort();
    participant?.leave();
    post({ type: 'answer', id: message.id, body: null });
  } else if (participant === null) {
    if (message.type === 'cancel') entry.asked.abort();
    else if (message.type === 'policy') entry.policy = message.policy;
    else answerLeft(message);
  } else {
    switch (message.type) {
      case 'load':
        participant.load(message.id, message.request);
        break;
      case 'cancel':
        participant.cancel(message.id);
        break;
      case 'stats':
        post({ type: 'answer', id: message.id, body: participant.stats() });
        break;
      case 'segments':
        post({ type: 'answer', id: message.id, body: participant.segments() });
        break;
      case 'player':
        participant.player(message.state);
        break;
      case 'policy':
        participant.policy(message.policy);
        break;
      default:
        participant.peerMessage(message);
    }
  }
}

async function join({ join, id, request }: Message<'join'>): Promise<void> {
  const post: Post = (message, transfer) => {
    if (!dead) scope.postMessage({ ...message, join }, transfer ?? []);
  };
  const entry: Entry = { post, asked: new AbortController(), participant: null, policy: null };
  joins.set(join, entry);
  const hook: RequestHook = (url, signal) => askPage(post, url, signal);
  try {
    const { signal } = entry.asked;
    const participant = await Participant.enter(core, request, post, hook, signal);
    if (signal.aborted) {
      participant.leave();
      throw new SwarmsealError('aborted', 'The join was aborted.');
    }
    entry.participant = participant;
    post({ type: 'answer', id, body: participant.joined });
    if (entry.policy !== null) participant.policy(entry.policy);
  } catch (error) {
    if (joins.get(join) === entry) joins.delete(join);
    post({ type: 'failed', id, failure: failure(error, entry.asked.signal.aborted) });
  }
}

/** Every question gets its answer, also one that comes too late. */
function answerLeft(message: ToWorker): void {
  if (message.type === 'leave') {
    scope.postMessage({ type: 'answer', join: message.join, id: message.id, body: null });
  } else if (message.type === 'load' || message.type === 'stats' || message.type === 'segments') {
    const failure = { code: 'left', message: 'This peer has left. Join again.' };
    scope.postMessage({ type: 'failed', join: message.join, id: message.id, failure });
  } else if (message.type === 'channels') {
    message.control.close();
    message.data.close();
  }
}

function failure(error: unknown, aborted: boolean): { code: string; message: string } {
  if (aborted) return { code: 'aborted', message: 'The join was aborted.' };
  if (error instanceof SwarmsealError) return { code: error.code, message: error.message };
  return { code: 'worker_fault', message: String(error) };
}

function askPage(post: Post, url: string, signal: AbortSignal): Promise<HttpRequest> {
  return new Promise((resolve, reject) => {
    const id = nextHook++;
    signal.addEventListener(
      'abort',
      () => settleHook(id)?.reject(new SwarmsealError('aborted', 'The request was aborted.')),
      { once: true },
    );
    hooks.set(id, { resolve, reject });
    post({ type: 'http-request', id, url });
  });
}

function settleHook(id: number) {
  const hook = hooks.get(id);
  hooks.delete(id);
  return hook;
}

/** Bytes that an engine is seeded with. */
const SEED = 32;

async function load({ wasm, core }: Message<'start'>): Promise<Core> {
  try {
    const response = core === null ? await fetch(wasm) : new Response(core);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const file = new Uint8Array(await response.arrayBuffer());
    const { memory } = initSync({ module: await WebAssembly.compile(assembled(file)) });
    panicked = poisoned;
    return {
      memory,
      maxTrackerText: maxTrackerText(),
      dataHead: dataHeadLength(),
      open: (config, sealed, now) =>
        new Peer(config, crypto.getRandomValues(new Uint8Array(SEED)), sealed, now),
      judge(error) {
        if (isRefusal(error) && !panicked()) return error;
        fail(error);
        return null;
      },
    };
  } catch (error) {
    throw new SwarmsealError(
      'wasm_unavailable',
      `The core ${wasm} cannot be started (${String(error)}). Is it served there, does CORS allow it, and does the page's CSP have 'wasm-unsafe-eval'?`,
    );
  }
}

/** The core panicked, or this worker has a fault: the page replaces the worker, and nothing more comes from this one. */
function fail(error: unknown): void {
  if (dead) return;
  const why = `${String(error)} ${error instanceof Error ? (error.stack ?? '') : ''}`;
  scope.postMessage({ type: 'poisoned', message: why });
  dead = true;
  for (const { participant } of joins.values()) participant?.close();
  joins.clear();
}
