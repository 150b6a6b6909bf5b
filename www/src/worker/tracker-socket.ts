/** What comes from the tracker connection. */
export interface TrackerEvents {
  opened(): void;
  message(message: unknown): void;
  closed(): void;
  warn(code: string, message: string): void;
}

/**
 * The tracker's WebSocket: moves JSON, and chunks that the tracker asks to see, and decides nothing. When to open, close and try again is the engine's business,
 * and so is what a message means.
 */
export class TrackerSocket {
  readonly #url: string;
  readonly #maxText: number;
  readonly #events: TrackerEvents;
  #socket: WebSocket | null = null;

  constructor(url: string, maxText: number, events: TrackerEvents) {
    this.#url = url;
    this.#maxText = maxText;
    this.#events = events;
  }

  open(): void {
    this.close();
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#events.opened();
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      this.#take(data);
    };
    socket.onclose = () => {
      this.#socket = null;
      this.#events.closed();
    };
  }

  send(message: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(message);
  }

  /** Closes without a word to the engine, which asked for it. */
  close(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** The tracker does not keep to its protocol. */
  refuse(why: string): void {
    this.close();
    this.#events.warn('invalid_tracker_message', why);
    this.#events.closed();
  }

  #take(data: unknown): void {
    if (typeof data !== 'string' || data.length > this.#maxText) {
      this.refuse('The tracker sent a binary message, or one that is too long.');
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(data);
    } catch {
      this.refuse('The tracker sent something that is not JSON.');
      return;
    }
    // The core reads trees by recursion, and no message of the protocol comes near this depth.
    if (deeperThan(message, MAX_DEPTH)) this.refuse('The tracker sent a message that is nested too deeply.');
    else this.#events.message(message);
  }
}

function deeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => deeperThan(inner, depth - 1));
}

const MAX_DEPTH = 8;
