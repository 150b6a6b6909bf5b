import { SwarmsealError } from './errors.js';

/** Refuses `http:` and `ws:` to anywhere but this machine: on the way, anybody could read or drop what is asked for. */
export function refuseInsecure(url: URL): void {
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  if (!secure && !(INSECURE.has(url.protocol) && isLoopback(url.hostname))) {
    throw new SwarmsealError('insecure_transport', `${url.origin} is not TLS: use https:, wss:.`);
  }
}

function isLoopback(host: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

const INSECURE = new Set(['http:', 'ws:']);
