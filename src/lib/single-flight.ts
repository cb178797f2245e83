/** Lets callers with the same key who come while a call is under way share its one result. */
export class SingleFlight<K, V> {
  readonly #running = new Map<K, Promise<V>>();

  /** Starts `start`, or joins the call with this key that is already under way. Nothing is kept once it ends. */
  run(key: K, start: () => Promise<V>): Promise<V> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = start().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}
