/** Typed events: `on` and `off`, nothing else. A listener that throws harms neither us nor the other listeners. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(detail: never) => void>>();

  /** Returns a function that takes the listener off again. */
  on<Type extends keyof Events>(type: Type, listener: (detail: Events[Type]) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => {
      this.off(type, listener);
    };
  }

  off<Type extends keyof Events>(type: Type, listener: (detail: Events[Type]) => void): void {
    this.#listeners.get(type)?.delete(listener);
  }

  protected emit<Type extends keyof Events>(type: Type, detail: Events[Type]): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])] as ((detail: Events[Type]) => void)[]) {
      try {
        listener(detail);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
