import { AsyncLocalStorage } from "node:async_hooks";

/** Knows whether the running code stands inside a transaction of this storage, so that a query past it can be refused. */
export class TransactionScope {
  readonly #inside = new AsyncLocalStorage<{ open: boolean }>();

  /** Runs `work` as the inside of a transaction; what it started and left running is outside again when it ends. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const scope = { open: true };
    try {
      return await this.#inside.run(scope, work);
    } finally {
      scope.open = false;
    }
  }

  /** Throws when a connection is asked for inside a transaction: on SQLite it would wait for itself for ever. */
  assertOutside(): void {
    if (this.#inside.getStore()?.open === true)
      throw new Error("a query inside a transaction went to `db`: it must use the transaction that was handed in");
  }
}
