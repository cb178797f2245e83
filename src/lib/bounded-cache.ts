import type { Clock } from "./clock.ts";

export interface BoundedCacheOptions {
  readonly clock: Clock;
  /** Most entries kept; the least recently used goes first. */
  readonly maxEntries: number;
  /** How long an entry is served. */
  readonly ttlMs: number;
}

interface Entry<V> {
  readonly value: V;
  readonly expiresAt: number;
}

/** A cache with a bound on its entries and on their age; reading refreshes an entry's place, not its age. */
export class BoundedCache<K, V> {
  readonly #entries = new Map<K, Entry<V>>();
  readonly #options: BoundedCacheOptions;

  constructor(options: BoundedCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.expiresAt <= this.#options.clock.now()) return undefined;
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, expiresAt: this.#options.clock.now() + this.#options.ttlMs });
    if (this.#entries.size <= this.#options.maxEntries) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
