import { SwarmsealError } from '../errors.js';
import type { HttpRequest } from '../messages.js';
import { refuseInsecure } from '../secure-transport.js';

/** Asks the page to rewrite a request. */
export type RequestHook = (url: string, signal: AbortSignal) => Promise<HttpRequest>;

/**
 * How a listed path becomes an HTTP request: below the manifest's folder, with the query that the player used for this
 * path (tokens are not part of a name), and changed by the page if it wants to.
 */
export class Requests {
  readonly #manifest: URL;
  readonly #hook: RequestHook | null;
  /** Oldest first. */
  readonly #queries = new Map<string, string>();

  constructor(manifest: URL, hook: RequestHook | null) {
    this.#manifest = manifest;
    this.#hook = hook;
  }

  /** The player asked for `path` by this URL. */
  remember(path: string, url: string): void {
    const { search } = new URL(url);
    this.#queries.delete(path);
    if (search === '') return;
    this.#queries.set(path, search);
    if (this.#queries.size > QUERIES) {
      for (const oldest of this.#queries.keys()) {
        this.#queries.delete(oldest);
        break;
      }
    }
  }

  urlOf(path: string): URL {
    const url = new URL(path, this.#manifest);
    const used = this.#queries.get(path);
    if (used !== undefined) url.search = used;
    // Beside the manifest, what opened the manifest is the best guess.
    else if (url.search === '') url.search = this.#manifest.search;
    return url;
  }

  /** One plain GET, as the page's `http.request` hook wants it. */
  async prepare(url: URL, signal: AbortSignal): Promise<{ url: URL; init: RequestInit; headers: Headers }> {
    const asked = this.#hook === null ? null : await this.#hook(url.href, signal);
    const target = asked === null ? url : new URL(asked.url);
    refuseInsecure(target);
    const init: RequestInit = { signal };
    if (asked !== null && asked.credentials !== null) init.credentials = asked.credentials;
    return { url: target, init, headers: new Headers(asked?.headers) };
  }
}

/** GETs `url` for `requests`; where a redirect led must be as secure as where it began. */
export async function get(
  requests: Requests,
  url: URL,
  signal: AbortSignal,
  more: { range?: string; cache?: RequestCache },
): Promise<Response> {
  const { url: target, init, headers } = await requests.prepare(url, signal);
  if (more.range !== undefined) headers.set('Range', more.range);
  if (more.cache !== undefined) init.cache = more.cache;
  const response = await fetch(target, { ...init, headers });
  if (response.redirected) {
    try {
      refuseInsecure(new URL(response.url));
    } catch (error) {
      await response.body?.cancel();
      throw error;
    }
  }
  return response;
}

/** A body's blocks as they come. Whoever stops before the end cancels the rest. */
export async function* blocksOf(response: Response): AsyncGenerator<Uint8Array, void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (let block = await reader.read(); !block.done; block = await reader.read()) yield block.value;
  } finally {
    await reader.cancel();
  }
}

/** A body of at most so many bytes; null if it is longer. */
export async function readAtMost(response: Response, most: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const blocks: Uint8Array[] = [];
  let length = 0;
  for await (const block of blocksOf(response)) {
    blocks.push(block);
    length += block.length;
    if (length > most) return null;
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const block of blocks) {
    body.set(block, at);
    at += block.length;
  }
  return body;
}

/** The page's hook failed; nothing was asked for. */
export function refusedByPage(message: string): SwarmsealError {
  return new SwarmsealError('http_request_refused', message);
}

/** Several hours of a player's requests. */
const QUERIES = 4096;
