/** The engine's monotonic clock, in microseconds. */
export function now(): number {
  return Math.round(performance.now() * 1000);
}

/** The one timer of a join: set to the time at which its engine wants to be woken. */
export class Alarm {
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at: number | null = null;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Microseconds on the engine's clock; null: nothing to wait for. */
  set(at: number | null): void {
    if (at === this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    if (at !== null) this.#wait(at);
  }

  #wait(at: number): void {
    const ms = Math.min(Math.max(Math.ceil((at - now()) / 1000), 0), LONGEST_MS);
    this.#timer = setTimeout(() => {
      // Timers count in a coarser clock, in which the time may have come a little too soon.
      if (now() < at) {
        this.#wait(at);
        return;
      }
      this.#at = null;
      this.#ring();
    }, ms);
  }
}

/** Timers of more than 31 bits of milliseconds ring at once. */
const LONGEST_MS = 2 ** 31 - 1;
