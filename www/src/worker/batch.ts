import type { ByteRange } from '../messages.js';

/** Names an object; track 0 holds the assets. */
export interface ObjectId {
  track: number;
  index: number;
}

/** Bytes of an object. */
export interface Span {
  object: ObjectId;
  first: number;
  length: number;
}

/** What the engine asks HTTP for. */
export interface FetchOrder {
  fetch: number;
  /** Relative to the content's base, in normal form. */
  path: string;
  /** null: the whole resource. */
  range: ByteRange | null;
  /** Exact length of what is asked for. */
  length: number;
  /** Past the browser's cache: an earlier answer did not verify. */
  reload: boolean;
}

/** Microseconds on the worker's clock. */
export interface DeliverTiming {
  askedAt: number;
  firstByteAt: number;
  doneAt: number;
  transferUs: number;
}

/** What the engine wants done, in its order; `idle` is the last one of a batch. */
export type Output =
  | { type: 'idle'; wakeAt: number | null }
  | ({ type: 'fetch-object' } & FetchOrder)
  | ({ type: 'fetch-sheet' } & FetchOrder)
  /** `length` is the most that is taken. */
  | ({ type: 'fetch-whole' } & FetchOrder)
  | { type: 'abort-fetch'; fetch: number }
  | { type: 'keep-fetched'; fetch: number; piece: number; object: ObjectId; chunk: number }
  | { type: 'keep-received'; offset: number; length: number; object: ObjectId; chunk: number }
  | { type: 'forget'; fetch: number }
  | { type: 'evict'; object: ObjectId }
  | {
      type: 'deliver';
      demand: number;
      spans: Span[];
      mediaType: string;
      timing: DeliverTiming;
      fromPeers: number;
      fromHttp: number;
    }
  | {
      type: 'deliver-document';
      demand: number;
      bytes: Uint8Array<ArrayBuffer>;
      mediaType: string;
      timing: DeliverTiming;
      fromPeers: number;
      fromHttp: number;
    }
  | { type: 'refuse'; demand: number; code: string }
  | { type: 'tracker-open' }
  | { type: 'tracker-close' }
  /** JSON, as it is to be sent. */
  | { type: 'tracker-send'; text: string }
  | { type: 'dial'; peer: number; offer: boolean; iceServers: RTCIceServer[]; relayOnly: boolean }
  | { type: 'remote-description'; peer: number; sdp: string; offer: boolean }
  | { type: 'remote-candidate'; peer: number; line: string }
  | { type: 'close'; peer: number; reason: string }
  | { type: 'send'; peer: number; bytes: Uint8Array<ArrayBuffer> }
  | {
      type: 'send-data';
      /** 0: the tracker. */
      peer: number;
      head: Uint8Array<ArrayBuffer>;
      object: ObjectId;
      first: number;
      count: number;
    }
  | { type: 'event'; event: unknown };

/** Reads what `src/wasm/batch.rs` wrote; its layout is described there and read nowhere else. */
export function readBatch(bytes: Uint8Array<ArrayBuffer>): Output[] {
  const reader = new Reader(bytes);
  const outputs: Output[] = [];
  let output: Output;
  do {
    output = reader.output();
    outputs.push(output);
  } while (output.type !== 'idle');
  return outputs;
}

class Reader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  // Properties are read in the order in which they are written here (ECMAScript, evaluation of object literals).
  output(): Output {
    const tag = this.#u8();
    switch (tag) {
      case 0:
        return { type: 'idle', wakeAt: this.#option(() => this.#u64()) };
      case 1:
        return { type: 'fetch-object', ...this.#order() };
      case 2:
        return { type: 'fetch-sheet', ...this.#order() };
      case 3:
        return { type: 'abort-fetch', fetch: this.#u32() };
      case 4:
        return {
          type: 'keep-fetched',
          fetch: this.#u32(),
          piece: this.#u32(),
          object: this.#object(),
          chunk: this.#u32(),
        };
      case 5:
        return {
          type: 'keep-received',
          offset: this.#u32(),
          length: this.#u32(),
          object: this.#object(),
          chunk: this.#u32(),
        };
      case 6:
        return { type: 'forget', fetch: this.#u32() };
      case 7:
        return { type: 'evict', object: this.#object() };
      case 8:
        return {
          type: 'deliver',
          demand: this.#u32(),
          spans: this.#list(() => ({ object: this.#object(), first: this.#u64(), length: this.#u64() })),
          mediaType: this.#text(),
          ...this.#timing(),
        };
      case 9:
        return { type: 'refuse', demand: this.#u32(), code: this.#text() };
      case 10:
        return { type: 'tracker-open' };
      case 11:
        return { type: 'tracker-close' };
      case 12:
        return { type: 'tracker-send', text: this.#text() };
      case 13:
        return {
          type: 'dial',
          peer: this.#u32(),
          offer: this.#flag(),
          iceServers: this.#list(() => this.#iceServer()),
          relayOnly: this.#flag(),
        };
      case 14:
        return { type: 'remote-description', peer: this.#u32(), sdp: this.#text(), offer: this.#flag() };
      case 15:
        return { type: 'remote-candidate', peer: this.#u32(), line: this.#text() };
      case 16:
        return { type: 'close', peer: this.#u32(), reason: this.#text() };
      case 17:
        return { type: 'send', peer: this.#u32(), bytes: this.#chunk() };
      case 18:
        return {
          type: 'send-data',
          peer: this.#u32(),
          head: this.#chunk(),
          object: this.#object(),
          first: this.#u32(),
          count: this.#u8(),
        };
      case 19:
        return { type: 'event', event: JSON.parse(this.#text()) as unknown };
      case 20:
        return { type: 'fetch-whole', ...this.#order() };
      case 21:
        return {
          type: 'deliver-document',
          demand: this.#u32(),
          bytes: this.#chunk(),
          mediaType: this.#text(),
          ...this.#timing(),
        };
      default:
        throw new RangeError(`the core and the worker are not of one build: record ${tag}`);
    }
  }

  #order(): FetchOrder {
    return {
      fetch: this.#u32(),
      path: this.#text(),
      range: this.#option(() => ({ first: this.#u64(), last: this.#u64() })),
      length: this.#u64(),
      reload: this.#flag(),
    };
  }

  #timing(): { timing: DeliverTiming; fromPeers: number; fromHttp: number } {
    return {
      timing: {
        askedAt: this.#u64(),
        firstByteAt: this.#u64(),
        doneAt: this.#u64(),
        transferUs: this.#u64(),
      },
      fromPeers: this.#u64(),
      fromHttp: this.#u64(),
    };
  }

  #iceServer(): RTCIceServer {
    const urls = this.#list(() => this.#text());
    const username = this.#option(() => this.#text());
    const credential = this.#option(() => this.#text());
    return { urls, ...(username !== null && { username }), ...(credential !== null && { credential }) };
  }

  #object(): ObjectId {
    return { track: this.#u32(), index: this.#u32() };
  }

  #list<T>(read: () => T): T[] {
    return Array.from({ length: this.#u32() }, read);
  }

  #option<T>(read: () => T): T | null {
    return this.#flag() ? read() : null;
  }

  #text(): string {
    return utf8.decode(this.#chunk());
  }

  #chunk(): Uint8Array<ArrayBuffer> {
    const length = this.#u32();
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  #flag(): boolean {
    return this.#u8() !== 0;
  }

  #u8(): number {
    return this.#view.getUint8(this.#at++);
  }

  #u32(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  /** Times and lengths: far below 2^53. */
  #u64(): number {
    const low = this.#u32();
    return low + this.#u32() * 2 ** 32;
  }
}

const utf8 = new TextDecoder();
