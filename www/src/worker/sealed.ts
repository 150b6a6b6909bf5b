import { SwarmsealError } from '../errors.js';
import { get, readAtMost, type Requests } from './requests.js';

/** Fetches the sealed manifest: asked of the server each time, tried again while that may help. */
export async function fetchSealed(
  requests: Requests,
  url: URL,
  cache: RequestCache,
  signal: AbortSignal,
): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchOnce(requests, url, cache, signal);
    } catch (error) {
      signal.throwIfAborted();
      const final = error instanceof SwarmsealError && error.code !== UNREACHABLE;
      if (final || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt));
    }
  }
}

async function fetchOnce(
  requests: Requests,
  url: URL,
  cache: RequestCache,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const controller = new AbortController();
  const stop = (): void => {
    controller.abort();
  };
  const timer = setTimeout(stop, TIMEOUT_MS);
  signal.addEventListener('abort', stop);
  let status: number | null = null;
  try {
    const response = await get(requests, url, controller.signal, { cache });
    status = response.status;
    if (response.ok) {
      const sealed = await readAtMost(response, MAX_SEALED);
      if (sealed !== null) return sealed;
      throw new SwarmsealError(
        'malformed',
        `The manifest ${response.url} is longer than ${MAX_SEALED} bytes.`,
      );
    }
    await response.body?.cancel();
  } catch (error) {
    if (error instanceof SwarmsealError) throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
  const why =
    status === null
      ? 'there is no answer (is the server up, and does it allow this origin by CORS?)'
      : `it answers with status ${status}`;
  throw new SwarmsealError(UNREACHABLE, `The manifest ${withoutQuery(url)} cannot be fetched: ${why}.`);
}

/** Tokens stay out of messages. */
function withoutQuery(url: URL): string {
  return url.origin + url.pathname;
}

const UNREACHABLE = 'manifest_unreachable';
const ATTEMPTS = 3;
const RETRY_MS = 400;
const TIMEOUT_MS = 10_000;
/** The core takes no more. */
export const MAX_SEALED = 64 * 1024;
