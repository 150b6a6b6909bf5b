/**
 * hls.js 1.7: `new Hls({ ...hlsConfig(peer) })`. Playlists and fragments come verified from the peer; keys and
 * everything else that hls.js asks for go to their own URL, and never near the swarm.
 */
import type {
  FragmentLoaderConstructor,
  FragmentLoaderContext,
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
  LoaderStats,
  PlaylistLoaderConstructor,
  RetryConfig,
} from 'hls.js';
import type { LoadOptions, LoadResult } from '../peer.js';

/** As much of a peer as this adapter needs. */
export interface LoadingPeer {
  load(url: string, options?: LoadOptions): Promise<LoadResult>;
}

/** The loaders to spread into hls.js's configuration. With a peer on its way, as `join` gives it, the player need not wait. */
export function hlsConfig(
  peer: LoadingPeer | Promise<LoadingPeer>,
): Pick<HlsConfig, 'loader' | 'fLoader' | 'pLoader'> {
  const transferMs = pacedByOrigin();
  const verified: Transfer = async (context, signal) => {
    const { url, rangeStart, rangeEnd } = context;
    const range = rangeEnd ? { range: { first: rangeStart ?? 0, last: rangeEnd - 1 } } : {};
    const { part, frag } = context as Partial<FragmentLoaderContext>;
    const loaded = await ('load' in peer ? peer : await peer).load(url, {
      ...range,
      playsAt: (part ?? frag)?.start,
      signal,
    });
    return { data: loaded.data, transferMs: transferMs(loaded) };
  };
  class SealedLoader extends TransferLoader {
    constructor() {
      super(verified);
    }
  }
  class PlainLoader extends TransferLoader {
    constructor(config: HlsConfig) {
      super((context, signal) => fetchPlainly(config, context, signal));
    }
  }
  return {
    loader: PlainLoader,
    fLoader: SealedLoader as unknown as FragmentLoaderConstructor,
    pLoader: SealedLoader as unknown as PlaylistLoaderConstructor,
  };
}

/**
 * What to tell the player of how long a load took. A player that goes up on the rate of a near peer asks for a rendition
 * that the peer may not hold, waits for the origin, and goes down again: so nothing is reported as faster than the origin.
 */
function pacedByOrigin(): (loaded: LoadResult) => number | null {
  /** Milliseconds per byte. */
  let pace = 0;
  return ({ fromPeers, fromHttp, timing }) => {
    if (timing === null) return null;
    const bytes = fromPeers + fromHttp;
    // A small body says more about the round trip.
    if (fromHttp > fromPeers + MIN_SAMPLE_BYTES) pace = timing.transferMs / bytes;
    return Math.max(timing.transferMs, bytes * pace);
  };
}

/** What a loader fetches with; it rejects with an error whose `code` this file knows, or a status as `status`. */
type Transfer = (
  context: LoaderContext,
  signal: AbortSignal,
) => Promise<{ data: ArrayBuffer; transferMs: number | null }>;

/** hls.js's Loader over one {@link Transfer}: retries, time-outs, aborts and statistics as in its own loaders. */
class TransferLoader implements Loader<LoaderContext> {
  context: LoaderContext | null = null;
  stats: LoaderStats = emptyStats();
  readonly #transfer: Transfer;
  #callbacks: LoaderCallbacks<LoaderContext> | null = null;
  #attempt = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(transfer: Transfer) {
    this.#transfer = transfer;
  }

  load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
    this.stats.loading.start = performance.now();
    this.context = context;
    this.#callbacks = callbacks;
    void this.#try(context, config);
  }

  abort(): void {
    const callbacks = this.#callbacks;
    this.#stop();
    if (this.context) callbacks?.onAbort?.(this.stats, this.context, null);
  }

  destroy(): void {
    this.#stop();
    this.context = null;
  }

  /** Freshness is not for a cache on the way to say. */
  getCacheAge(): number | null {
    return null;
  }

  getResponseHeader(): string | null {
    return null;
  }

  async #try(context: LoaderContext, config: LoaderConfiguration): Promise<void> {
    const attempt = (this.#attempt = new AbortController());
    const { maxLoadTimeMs, timeoutRetry, errorRetry } = config.loadPolicy;
    // There is no first byte to be early: verified bytes are there or they are not.
    this.#timer = setTimeout(() => {
      attempt.abort();
      if (this.#retries(timeoutRetry, 0, context, config, true)) return;
      const callbacks = this.#callbacks;
      this.#stop();
      callbacks?.onTimeout(this.stats, context, null);
    }, maxLoadTimeMs);
    try {
      const { data, transferMs } = await this.#transfer(context, attempt.signal);
      if (attempt.signal.aborted) return;
      this.#succeed(context, data, transferMs);
    } catch (error) {
      if (attempt.signal.aborted) return;
      clearTimeout(this.#timer);
      const status = statusOf(error);
      if (this.#retries(errorRetry, status, context, config, false)) return;
      const callbacks = this.#callbacks;
      this.#stop();
      callbacks?.onError({ code: status, text: String(error) }, context, null, this.stats);
    }
  }

  #succeed(context: LoaderContext, data: ArrayBuffer, transferMs: number | null): void {
    clearTimeout(this.#timer);
    const { stats } = this;
    const { loading } = stats;
    stats.loaded = stats.total = data.byteLength;
    // Honest to the bandwidth estimate: the bytes took `transferMs`, whenever that was. Waiting lies before the
    // first byte; what was held already began that long ago.
    loading.end = performance.now();
    loading.first = transferMs === null ? loading.start : loading.end - Math.max(transferMs, MIN_TRANSFER_MS);
    loading.start = Math.min(loading.start, loading.first);
    stats.bwEstimate = (stats.total * 8000) / Math.max(loading.end - loading.first, MIN_TRANSFER_MS);
    const body = context.responseType === 'arraybuffer' ? data : asText(context, data);
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    callbacks?.onProgress?.(stats, context, body as ArrayBuffer, null);
    callbacks?.onSuccess({ url: context.url, data: body, code: 200 }, stats, context, null);
  }

  #retries(
    policy: RetryConfig | null,
    status: number,
    context: LoaderContext,
    config: LoaderConfiguration,
    timedOut: boolean,
  ): boolean {
    if (policy === null || this.#callbacks === null) return false;
    const { maxNumRetry, retryDelayMs, maxRetryDelayMs, backoff, shouldRetry } = policy;
    const count = this.stats.retry;
    const worthIt = count < maxNumRetry && (timedOut || (status !== 0 && (status < 400 || status > 499)));
    const response = { url: context.url, code: status };
    if (!(shouldRetry?.(policy, count, timedOut, response, worthIt) ?? worthIt)) return false;
    this.stats.retry += 1;
    const delay = Math.min((backoff === 'linear' ? 1 : 2 ** count) * retryDelayMs, maxRetryDelayMs);
    this.#timer = setTimeout(() => void this.#try(context, config), delay);
    return true;
  }

  #stop(): void {
    clearTimeout(this.#timer);
    if (this.#callbacks !== null) {
      this.#callbacks = null;
      this.stats.aborted = true;
      this.#attempt.abort();
    }
  }
}

async function fetchPlainly(
  config: HlsConfig,
  context: LoaderContext,
  signal: AbortSignal,
): ReturnType<Transfer> {
  const headers = new Headers(context.headers);
  if (context.rangeEnd) headers.set('Range', `bytes=${context.rangeStart ?? 0}-${context.rangeEnd - 1}`);
  const init: RequestInit = { credentials: 'same-origin', signal, headers };
  const request = (await config.fetchSetup?.(context, init)) ?? new Request(context.url, init);
  const response = await fetch(request);
  if (!response.ok) {
    throw Object.assign(new Error(`${response.status} ${response.statusText}`), { status: response.status });
  }
  return { data: await response.arrayBuffer(), transferMs: null };
}

function asText(context: LoaderContext, data: ArrayBuffer): string | object {
  const text = new TextDecoder().decode(data);
  return context.responseType === 'json' ? (JSON.parse(text) as object) : text;
}

/** hls.js thinks in HTTP: 404 it does not ask for again, 503 it does, 0 ends it. */
function statusOf(error: unknown): number {
  const { status, code } = error as { status?: number; code?: string };
  return status ?? (code === 'unlisted' ? 404 : code ? 503 : 0);
}

function emptyStats(): LoaderStats {
  const timing = (): { start: number; first: number; end: number } => ({ start: 0, first: 0, end: 0 });
  return {
    aborted: false,
    loaded: 0,
    retry: 0,
    total: 0,
    chunkCount: 0,
    bwEstimate: 0,
    loading: timing(),
    parsing: { start: 0, end: 0 },
    buffering: timing(),
  };
}

const MIN_SAMPLE_BYTES = 16_384;
const MIN_TRANSFER_MS = 1;
