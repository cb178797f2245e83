import type { DatabaseSync } from "node:sqlite";
import type { Random } from "../../lib/random.ts";
import type { Market } from "../market/market.ts";
import { openDemoAccounts } from "./demo.ts";
import { createTradingStore } from "./trading-store.ts";
import type { Trading } from "./trading.ts";

export interface TradingDeps {
  readonly market: Market;
  readonly random: Random;
  /** Where everything is kept; it stays the caller's to close. */
  readonly store: DatabaseSync;
  /** Epoch ms at which the simulation starts, or goes on. */
  readonly now: number;
}

/** Opens the simulated brokerage over its database, and fills an empty one with the demo accounts. */
export function createTrading(deps: TradingDeps): Trading {
  const store = createTradingStore(deps.store);
  if (store.accounts().length === 0) store.atomically(() => openDemoAccounts(store, deps.now));
  const accounts = store.accounts();
  return {
    accountIds: accounts.map((account) => account.id),
    account: (accountId) => accounts.find((account) => account.id === accountId),
    advance: () => undefined,
    sessionEnded: () => undefined,
    close: () => undefined,
  };
}
