import type { CallOptions } from "../broker/broker.ts";
import { abortable } from "./abortable.ts";

interface Shared<V> {
  readonly result: Promise<V>;
  readonly giveUp: AbortController;
  waiting: number;
}

/** Lets identical reads that run at the same time share one upstream call, which is given up once nobody waits for it. */
export class SharedReads<V> {
  readonly #running = new Map<string, Shared<V>>();

  /** Joins the read with this key, or starts it in the name of this caller. */
  async run(key: string, options: CallOptions, start: (options: CallOptions) => Promise<V>): Promise<V> {
    options.signal.throwIfAborted();
    const shared = this.#running.get(key) ?? this.#begin(key, options, start);
    shared.waiting += 1;
    try {
      return await abortable(shared.result, options.signal);
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0) {
        this.#forget(key, shared);
        shared.giveUp.abort(options.signal.reason);
      }
    }
  }

  #begin(key: string, options: CallOptions, start: (options: CallOptions) => Promise<V>): Shared<V> {
    const giveUp = new AbortController();
    const result = start({ ...options, signal: giveUp.signal });
    const shared: Shared<V> = { result, giveUp, waiting: 0 };
    this.#running.set(key, shared);
    const end = () => this.#forget(key, shared);
    result.then(end, end);
    return shared;
  }

  #forget(key: string, shared: Shared<V>): void {
    if (this.#running.get(key) === shared) this.#running.delete(key);
  }
}
