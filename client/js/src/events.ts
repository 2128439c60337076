// Those who listen. What one of them throws stops neither the others nor the library.

export type Listener<T> = (value: T) => void;

export function tell<T>(listener: Listener<T> | undefined, value: T): void {
  try {
    listener?.(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

export class Listeners<T> {
  readonly #all = new Set<Listener<T>>();

  /** Returns what ends it. */
  readonly add = (listener: Listener<T>): (() => void) => {
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  };

  tell(value: T): void {
    for (const listener of [...this.#all]) tell(listener, value);
  }
}
