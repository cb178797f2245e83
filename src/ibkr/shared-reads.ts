import type { CallOptions } from "../broker/broker.ts";
import { abortable } from "./abortable.ts";

interface Shared<V> {
  readonly outcome: PromiseWithResolvers<V>;
  readonly giveUp: AbortController;
  waiting: number;
  /** Attempts under way: the first, and one that goes before others, if an urgent caller joined. */
  attempts: number;
  isUrgent: boolean;
}

/** Lets identical reads that run at the same time share one upstream call, which is given up once nobody waits for it. */
export class SharedReads<V> {
  readonly #running = new Map<string, Shared<V>>();

  /**
   * Joins the read with this key, or starts it in the name of this caller. An urgent caller doesn't wait in another's place: it
   * starts the read once more in its own, and the first answer is everybody's.
   */
  async run(key: string, options: CallOptions, start: (options: CallOptions) => Promise<V>): Promise<V> {
    options.signal.throwIfAborted();
    const shared = this.#running.get(key) ?? this.#begin(key);
    shared.waiting += 1;
    if (shared.attempts === 0 || (options.urgent === true && !shared.isUrgent)) void attempt(shared, options, start);
    try {
      return await abortable(shared.outcome.promise, options.signal);
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0) {
        this.#forget(key, shared);
        shared.giveUp.abort(options.signal.reason);
      }
    }
  }

  #begin(key: string): Shared<V> {
    const shared: Shared<V> = {
      outcome: Promise.withResolvers<V>(),
      giveUp: new AbortController(),
      waiting: 0,
      attempts: 0,
      isUrgent: false,
    };
    this.#running.set(key, shared);
    const end = () => this.#forget(key, shared);
    shared.outcome.promise.then(end, end);
    return shared;
  }

  #forget(key: string, shared: Shared<V>): void {
    if (this.#running.get(key) === shared) this.#running.delete(key);
  }
}

/** Never rejects. */
async function attempt<V>(shared: Shared<V>, options: CallOptions, start: (options: CallOptions) => Promise<V>): Promise<void> {
  shared.attempts += 1;
  shared.isUrgent = options.urgent === true;
  try {
    shared.outcome.resolve(await start({ ...options, signal: shared.giveUp.signal }));
    // The other attempt may still wait for its turn: it need not be sent any more.
    shared.giveUp.abort(new Error("another attempt was answered"));
  } catch (error) {
    shared.attempts -= 1;
    if (shared.attempts === 0) shared.outcome.reject(error);
  }
}
