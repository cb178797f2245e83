/** Runs actions with the same key one after another, in the order of their calls; different keys run side by side. */
export class KeyedLock<K> {
  readonly #tails = new Map<K, Promise<void>>();

  /** Waits for the earlier actions of this key, runs `action`, and answers what it answers. A failed action frees the key too. */
  async run<T>(key: K, action: () => Promise<T>): Promise<T> {
    const earlier = this.#tails.get(key) ?? Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const tail = earlier.then(() => promise);
    this.#tails.set(key, tail);
    await earlier;
    try {
      return await action();
    } finally {
      resolve();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
