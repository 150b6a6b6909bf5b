import { invalidOption, SwarmsealError } from './errors.js';
import type { JoinRequest, Sharing } from './messages.js';
import { refuseInsecure } from './secure-transport.js';

/** Whether and how this viewer helps others. */
export interface Policy {
  /**
   * `on`: receive from and send to other viewers. `off`: HTTP only. `ask`: as `off`, with no connection made and no
   * packet sent, until `peer.consent()`. There is no default: the page decides.
   */
  share: 'ask' | 'on' | 'off';
  /** Upload cap in kbit/s. Default: none. */
  uploadKbps?: number | null;
  /** Upload budget in bytes for this visit. Default: none. */
  uploadBytes?: number | null;
  /** What to do on a cellular connection or with data saving on, where the browser tells. Default: `receive`. */
  onMetered?: Sharing;
  /** What to do below 20 % of battery without a charger, where the browser tells. Default: `receive`. */
  onBattery?: Sharing;
}

/** What a request is changed to; what is left out stays as it is. */
export interface HttpChange {
  url?: string;
  headers?: Record<string, string>;
  credentials?: RequestCredentials;
}

export interface Assets {
  /** The worker's script, a classic one. Default: `worker.js` beside this script. */
  worker?: string | URL;
  /** Default: `core_bg.wasm` beside this script. */
  wasm?: string | URL;
  /** The core that follows live contents. Default: `core-live_bg.wasm` beside this script. */
  liveWasm?: string | URL;
}

export interface JoinOptions {
  /** URL of the signed manifest (`content.seal`). Its folder is the base of everything it lists. */
  manifest: string | URL;
  /** Publisher keys that this page trusts, `ed25519:…`. */
  trust: readonly string[];
  policy: Policy;
  /** The content that the manifest must be of. Default: the one first seen at this manifest URL. */
  content?: string;
  /** Whether the content is live, which takes the larger core. Default: no. */
  live?: boolean;
  /** The tracker's `wss:` URL. Without one this is a verifying HTTP client. */
  tracker?: string | URL;
  /** Keys that may sign tickets, `ed25519:…`, beside those in the manifest. */
  trackerKeys?: readonly string[];
  store?: {
    /** Verified bytes kept in memory for the player and for others. Default: 64 MiB. */
    maxBytes?: number;
  };
  http?: {
    /** Asked before every request, to add a token. Neither URL nor headers ever reach a peer or the tracker. */
    request?: (url: string) => HttpChange | Promise<HttpChange>;
  };
  /** Goes over what the tracker says: `iceServers`, `iceTransportPolicy`, … */
  rtc?: RTCConfiguration;
  /** URL prefixes that are not part of the content (ads, licences): fetched directly, neither checked nor shared. */
  passThrough?: readonly (string | URL)[];
  assets?: Assets;
  /** Where to remember which content and version was seen. Default: localStorage, if there is one. */
  memory?: Pick<Storage, 'getItem' | 'setItem'>;
  /** Gives up joining. */
  signal?: AbortSignal;
}

/** {@link JoinOptions} after checking: absolute URLs, and nothing left out. */
export interface CheckedOptions {
  /** What the worker is told of them. */
  request: Pick<
    JoinRequest,
    'manifest' | 'trust' | 'content' | 'tracker' | 'trackerKeys' | 'maxStoreBytes' | 'asksBeforeHttp'
  >;
  policy: Policy;
  changeRequest: ((url: string) => HttpChange | Promise<HttpChange>) | null;
  rtc: RTCConfiguration;
  passThrough: readonly string[];
}

/** @throws SwarmsealError that names the field. */
export function checkOptions(options: JoinOptions): CheckedOptions {
  const { trust, trackerKeys = [], content = null, store, http, rtc = {}, passThrough = [] } = options;
  if (!Array.isArray(trust) || trust.length === 0) {
    throw invalidOption('trust', 'name at least one publisher key, ed25519:…');
  }
  keys('trust', trust);
  keys('trackerKeys', trackerKeys);
  const changeRequest = http?.request ?? null;
  return {
    request: {
      manifest: secureUrl('manifest', options.manifest),
      content,
      trust,
      tracker: options.tracker === undefined ? null : secureUrl('tracker', options.tracker),
      trackerKeys,
      maxStoreBytes: amount('store.maxBytes', store?.maxBytes) ?? DEFAULT_STORE_BYTES,
      asksBeforeHttp: changeRequest !== null,
    },
    policy: checkPolicy(options.policy),
    changeRequest,
    rtc,
    passThrough: passThrough.map((prefix) => absolute('passThrough', prefix).href),
  };
}

/** @throws SwarmsealError that names the field. */
export function checkPolicy(policy: Policy | undefined): Policy {
  if (policy === undefined || !['ask', 'on', 'off'].includes(policy.share)) {
    throw new SwarmsealError(
      'share_undecided',
      "policy.share: say 'on', 'off' or 'ask' (nothing before peer.consent()). Sharing uses the viewer's uplink and shows their address: the page decides.",
    );
  }
  amount('policy.uploadKbps', policy.uploadKbps);
  amount('policy.uploadBytes', policy.uploadBytes);
  for (const field of ['onMetered', 'onBattery'] as const) {
    if (!['on', 'receive', 'off', undefined].includes(policy[field])) {
      throw invalidOption(`policy.${field}`, "say 'on', 'receive' or 'off'");
    }
  }
  return policy;
}

export function absolute(field: string, url: string | URL): URL {
  try {
    return new URL(url, document.baseURI);
  } catch {
    throw invalidOption(field, `${String(url)} is not a URL`);
  }
}

function secureUrl(field: string, given: string | URL): string {
  const url = absolute(field, given);
  // A tracker may be named relative to the page.
  if (field === 'tracker') url.protocol = url.protocol.replace('http', 'ws');
  refuseInsecure(url);
  return url.href;
}

function keys(field: string, given: readonly string[]): void {
  for (const key of given) {
    if (!/^ed25519:[\w-]{43}$/.test(key)) {
      throw invalidOption(field, `${key} is not a public key, ed25519: and 43 characters of base64url`);
    }
  }
}

function amount(field: string, value: number | null | undefined): number | null {
  if (value === undefined || value === null) return null;
  if (!(Number.isFinite(value) && value >= 0)) {
    throw invalidOption(field, `${value} is not an amount`);
  }
  return Math.floor(value);
}

const DEFAULT_STORE_BYTES = 64 * 1024 * 1024;
