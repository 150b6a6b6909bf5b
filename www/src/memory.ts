import type { RollbackMemory } from './messages.js';

/**
 * What outlives the visit: which content was first seen at a manifest URL, and the newest version seen of each
 * content. Without storage (private windows, opaque origins) every visit is a first one.
 */
export class Memory {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'> | null;

  constructor(storage?: Pick<Storage, 'getItem' | 'setItem'>) {
    this.#storage = storage ?? ownStorage();
  }

  pinned(manifest: URL): string | null {
    return this.#read(pinKey(manifest));
  }

  seen(): RollbackMemory | null {
    const text = this.#read(SEEN_KEY);
    if (text === null) return null;
    try {
      const memory = JSON.parse(text) as RollbackMemory | null;
      return Array.isArray(memory?.seen) ? memory : null;
    } catch {
      return null;
    }
  }

  remember(manifest: URL, content: string, memory: RollbackMemory): void {
    this.#write(pinKey(manifest), content);
    this.rememberSeen(memory);
  }

  /** Keeps what another tab has seen in the meantime. */
  rememberSeen(memory: RollbackMemory): void {
    const key = (entry: RollbackMemory['seen'][number]): string => `${entry.publisher} ${entry.content}`;
    const newest = new Map(memory.seen.map((entry) => [key(entry), entry]));
    for (const entry of this.seen()?.seen ?? []) {
      const ours = newest.get(key(entry));
      if (ours === undefined || ours.version < entry.version) newest.set(key(entry), entry);
    }
    this.#write(SEEN_KEY, JSON.stringify({ ...memory, seen: [...newest.values()] }));
  }

  #read(key: string): string | null {
    try {
      return this.#storage?.getItem(key) ?? null;
    } catch {
      return null;
    }
  }

  #write(key: string, value: string): void {
    try {
      this.#storage?.setItem(key, value);
    } catch {
      // Full or forbidden: the next visit is a first one.
    }
  }
}

function ownStorage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** Tokens in the query are not part of where a content is. */
function pinKey({ origin, pathname }: URL): string {
  return `swarmseal:content:${origin}${pathname}`;
}

const SEEN_KEY = 'swarmseal:seen';
