import { AccountBook } from "./account-book.ts";
import type { Execution, SimAccount } from "./records.ts";
import type { TradingStore } from "./trading-store.ts";

/** The books of all accounts. An execution is written to the database and to its book together. */
export interface AccountBooks {
  /** Throws `RangeError` for an unknown account. */
  of(accountId: string): AccountBook;
  all(): Iterable<readonly [string, AccountBook]>;
  /** Writes an execution and answers it with its id. */
  record(execution: Omit<Execution, "executionId">): Execution;
  rollTo(at: number): void;
  /** Computes everything again from the database, after a write that failed. */
  reload(): void;
}

/** Computes the books of these accounts from the database. */
export function createAccountBooks(store: TradingStore, accounts: readonly SimAccount[]): AccountBooks {
  const books = new Map<string, AccountBook>();
  const reload = (): void => {
    for (const account of accounts) books.set(account.id, computed(store, account));
  };
  reload();
  const of = (accountId: string): AccountBook => {
    const book = books.get(accountId);
    if (book === undefined) throw new RangeError(`unknown account: ${accountId}`);
    return book;
  };
  return {
    of,
    all: () => books,
    record: (unnumbered) => {
      const sequence = store.counter("next_execution") ?? 1;
      store.setCounter("next_execution", sequence + 1);
      const execution = { ...unnumbered, executionId: executionId(sequence, unnumbered.at) };
      store.addExecution(execution);
      of(execution.accountId).apply(execution);
      return execution;
    },
    rollTo: (at) => {
      for (const book of books.values()) book.rollTo(at);
    },
    reload,
  };
}

function computed(store: TradingStore, account: SimAccount): AccountBook {
  const book = new AccountBook();
  for (const deposit of store.deposits(account.id)) book.deposit(deposit);
  for (const execution of store.everyExecution(account.id)) book.apply(execution);
  return book;
}

/** In IBKR's form: `0000f1a2.69231c44.01.01`. */
function executionId(sequence: number, at: number): string {
  return `${hex(sequence)}.${hex(Math.floor(at / 1000))}.01.01`;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
