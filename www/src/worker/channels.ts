import type { ChannelId } from '../messages.js';

type Bytes = Uint8Array<ArrayBuffer>;

/** What happens on the two channels of a peer. */
export interface ChannelEvents {
  /** Both are open. */
  opened(): void;
  message(channel: ChannelId, bytes: Bytes): void;
  /** The browser has sent most of what it was given. */
  low(): void;
  /** One of them is closed, which ends the connection. */
  closed(): void;
}

/** Control and data channel of one peer, wherever they are. */
export interface Channels {
  /** Throws if the browser takes no more. */
  send(channel: ChannelId, bytes: Bytes): void;
  /** Bytes given to the browser and not sent yet, both channels together. */
  buffered(): number;
  close(): void;
}

/** Channels that were transferred into this worker. */
export class TransferredChannels implements Channels {
  readonly #channels: readonly [RTCDataChannel, RTCDataChannel];
  #waiting = 2;

  constructor(control: RTCDataChannel, data: RTCDataChannel, events: ChannelEvents) {
    this.#channels = [control, data];
    const opened = (): void => {
      this.#waiting -= 1;
      if (this.#waiting === 0) events.opened();
    };
    this.#channels.forEach((channel, id) => {
      channel.binaryType = 'arraybuffer';
      channel.bufferedAmountLowThreshold = LOW_BYTES;
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        // Text is no message of ours; the engine is told by an empty one, which breaks its rules.
        events.message(
          id as ChannelId,
          data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0),
        );
      };
      channel.onbufferedamountlow = () => {
        events.low();
      };
      channel.onclose = () => {
        events.closed();
      };
      if (channel.readyState === 'open') opened();
      else channel.onopen = opened;
    });
  }

  send(channel: ChannelId, bytes: Bytes): void {
    this.#channels[channel].send(bytes);
  }

  buffered(): number {
    return this.#channels[0].bufferedAmount + this.#channels[1].bufferedAmount;
  }

  close(): void {
    for (const channel of this.#channels) {
      channel.onopen = channel.onmessage = channel.onbufferedamountlow = channel.onclose = null;
      channel.close();
    }
  }
}

/** Channels that stay with the page, because the browser cannot transfer them; the page passes everything on. */
export class RelayedChannels implements Channels {
  readonly #send: (channel: ChannelId, data: ArrayBuffer) => void;
  readonly #events: ChannelEvents;
  readonly #open = new Set<ChannelId>();
  /** What the page said last, and what has been given to it since. */
  readonly #reported = [0, 0];
  readonly #since = [0, 0];

  constructor(send: (channel: ChannelId, data: ArrayBuffer) => void, events: ChannelEvents) {
    this.#send = send;
    this.#events = events;
  }

  opened(channel: ChannelId): void {
    if (this.#open.has(channel)) return;
    this.#open.add(channel);
    if (this.#open.size === 2) this.#events.opened();
  }

  message(channel: ChannelId, data: ArrayBuffer): void {
    this.#events.message(channel, new Uint8Array(data));
  }

  reported(channel: ChannelId, amount: number): void {
    this.#reported[channel] = amount;
    this.#since[channel] = 0;
    this.#events.low();
  }

  closed(): void {
    this.#events.closed();
  }

  send(channel: ChannelId, bytes: Bytes): void {
    this.#since[channel] = (this.#since[channel] ?? 0) + bytes.length;
    this.#send(channel, bytes.slice().buffer);
  }

  buffered(): number {
    return [...this.#reported, ...this.#since].reduce((sum, amount) => sum + amount, 0);
  }

  /** The page closes the connection, and its channels with it. */
  close(): void {
    this.#open.clear();
  }
}

/** Below this the engine is told that it may send more: what a fast link needs for one turn of the event loop. */
const LOW_BYTES = 8 * 1024;
