import type { EffectivePolicy, Sharing } from './messages.js';
import { checkPolicy, type Policy } from './options.js';

/** Why sharing is less than the page's policy would allow. */
export type Limit = 'consent' | 'metered' | 'battery' | 'hidden_page';

/** What is in force, and why. */
export interface SharingState {
  share: Policy['share'];
  /** Whether `consent()` was given, for `share: 'ask'`. */
  consent: boolean;
  effective: Sharing;
  limits: Limit[];
  /** `unknown` where the browser hides it. */
  metered: 'yes' | 'no' | 'unknown';
  battery: 'low' | 'ok' | 'unknown';
}

/**
 * Works out what is allowed now from the page's policy, the viewer's consent, the connection, the battery and the
 * page's life, and says so whenever it changes.
 */
export class SharingPolicy {
  #policy: Policy;
  #consent = false;
  #hidden = false;
  #battery: Battery | null = null;
  readonly #changed: () => void;
  readonly #connection = (navigator as SurroundingsNavigator).connection;

  /** Calls `changed` until `signal` says that it is over. */
  constructor(policy: Policy, changed: () => void, signal: AbortSignal) {
    this.#policy = policy;
    this.#changed = changed;
    this.#connection?.addEventListener('change', changed, { signal });
    (navigator as SurroundingsNavigator).getBattery?.().then(
      (battery) => {
        this.#battery = battery;
        battery.addEventListener('levelchange', changed, { signal });
        battery.addEventListener('chargingchange', changed, { signal });
        if (this.state().battery === 'low') changed();
      },
      () => {
        // Refused by a permissions policy: it stays unknown.
      },
    );
  }

  set(change: Partial<Policy>): void {
    this.#policy = checkPolicy({ ...this.#policy, ...change });
    this.#changed();
  }

  consent(given: boolean): void {
    this.#consent = given;
    this.#changed();
  }

  /** The page went into the back-forward cache, or came back. */
  hide(hidden: boolean): void {
    this.#hidden = hidden;
    this.#changed();
  }

  state(): SharingState {
    const { share, onMetered = 'receive', onBattery = 'receive' } = this.#policy;
    const metered = this.#metered();
    const battery = this.#batteryState();
    let effective: Sharing = share === 'off' ? 'off' : 'on';
    const limits: Limit[] = [];
    const limit = (applies: boolean, reason: Limit, to: Sharing): void => {
      if (applies && ORDER.indexOf(to) < ORDER.indexOf(effective)) {
        effective = to;
        limits.push(reason);
      }
    };
    limit(metered === 'yes', 'metered', onMetered);
    limit(battery === 'low', 'battery', onBattery);
    limit(share === 'ask' && !this.#consent, 'consent', 'off');
    limit(this.#hidden, 'hidden_page', 'off');
    return { share, consent: this.#consent, effective, limits, metered, battery };
  }

  effective(): EffectivePolicy {
    const { uploadKbps, uploadBytes } = this.#policy;
    return {
      sharing: this.state().effective,
      uploadBps: typeof uploadKbps === 'number' ? Math.floor(uploadKbps * 1000) : null,
      uploadBytes: typeof uploadBytes === 'number' ? Math.floor(uploadBytes) : null,
    };
  }

  #metered(): SharingState['metered'] {
    if (this.#connection?.saveData === true || this.#connection?.type === 'cellular') return 'yes';
    return this.#connection?.type === undefined ? 'unknown' : 'no';
  }

  #batteryState(): SharingState['battery'] {
    if (this.#battery === null) return 'unknown';
    return !this.#battery.charging && this.#battery.level <= LOW_BATTERY ? 'low' : 'ok';
  }
}

const ORDER: readonly Sharing[] = ['off', 'receive', 'on'];
const LOW_BATTERY = 0.2;

/** Network Information and Battery Status: in some browsers only, so not in TypeScript's DOM. */
interface SurroundingsNavigator {
  connection?: EventTarget & { saveData?: boolean; type?: string };
  getBattery?: () => Promise<Battery>;
}

type Battery = EventTarget & { level: number; charging: boolean };
