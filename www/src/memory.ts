import type { RollbackMemory } from './messages.js';

/**
 * What the core has seen so far (which content at which manifest URL, which version of it), kept between visits
 * without knowing what it means. Without storage (private windows, opaque origins) every visit is a first one.
 */
export class Memory {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'> | null;

  constructor(storage?: Pick<Storage, 'getItem' | 'setItem'>) {
    this.#storage = storage ?? ownStorage();
  }

  recall(): RollbackMemory | null {
    const memory = this.#read(KEY) as RollbackMemory | null;
    return Array.isArray(memory?.seen) && Array.isArray(memory.pins) ? memory : null;
  }

  /** Keeps what another tab has seen in the meantime: of each content the newest version. */
  remember(memory: RollbackMemory): void {
    const stored = this.recall() ?? { seen: [], pins: [] };
    const seen = new Map<string, RollbackMemory['seen'][number]>();
    for (const entry of [...stored.seen, ...memory.seen]) {
      const key = `${entry.publisher} ${entry.content}`;
      if ((seen.get(key)?.version ?? 0) <= entry.version) seen.set(key, entry);
    }
    const pins = new Map([...stored.pins, ...memory.pins].map((pin) => [pin.source, pin]));
    this.#keep(KEY, { seen: [...seen.values()], pins: [...pins.values()] });
  }

  /** The newest head of a live content, as {@link keepHead} got it. */
  head(content: string | null): unknown {
    return this.#read(`${KEY} ${content}`);
  }

  keepHead(content: string, head: unknown): void {
    this.#keep(`${KEY} ${content}`, head);
  }

  #read(key: string): unknown {
    try {
      return JSON.parse(this.#storage?.getItem(key) ?? 'null');
    } catch {
      return null;
    }
  }

  #keep(key: string, value: unknown): void {
    try {
      this.#storage?.setItem(key, JSON.stringify(value));
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

const KEY = 'swarmseal';
