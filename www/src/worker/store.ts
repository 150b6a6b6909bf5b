import type { ObjectId, Span } from './batch.js';

/** What every object is cut into; only an object's last chunk is shorter. */
export const CHUNK = 16 * 1024;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Verified chunks, outside of wasm memory. The engine names them, limits them and says which to drop; only what it
 * has verified is ever put here.
 */
export class Store {
  readonly #objects = new Map<number, Map<number, Bytes>>();

  put(object: ObjectId, chunk: number, bytes: Bytes): void {
    const key = keyOf(object);
    let chunks = this.#objects.get(key);
    if (chunks === undefined) this.#objects.set(key, (chunks = new Map<number, Bytes>()));
    chunks.set(chunk, bytes);
  }

  evict(object: ObjectId): void {
    this.#objects.delete(keyOf(object));
  }

  clear(): void {
    this.#objects.clear();
  }

  /** The bytes of `spans`, one after the other, in a buffer of their own; null if a chunk is not held. */
  assemble(spans: readonly Span[]): ArrayBuffer | null {
    const parts: (Bytes | undefined)[] = [];
    for (const { object, first, length } of spans) {
      const end = first + length;
      for (let from = first; from < end;) {
        const chunk = Math.floor(from / CHUNK);
        const to = Math.min(end, (chunk + 1) * CHUNK);
        parts.push(this.#chunk(object, chunk)?.subarray(from - chunk * CHUNK, to - chunk * CHUNK));
        from = to;
      }
    }
    return concatenated(parts)?.buffer ?? null;
  }

  /** `head` and `count` chunks from `first` on, in one piece; null if a chunk is not held. */
  message(head: Bytes, object: ObjectId, first: number, count: number): Bytes | null {
    const parts: (Bytes | undefined)[] = [head];
    for (let chunk = first; chunk < first + count; chunk += 1) parts.push(this.#chunk(object, chunk));
    return concatenated(parts);
  }

  #chunk(object: ObjectId, chunk: number): Bytes | undefined {
    return this.#objects.get(keyOf(object))?.get(chunk);
  }
}

function concatenated(parts: readonly (Bytes | undefined)[]): Bytes | null {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  for (const part of parts) {
    if (part === undefined) return null;
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function keyOf({ track, index }: ObjectId): number {
  return track * 2 ** 32 + index;
}
