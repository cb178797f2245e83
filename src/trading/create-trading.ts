import type { Connections } from "../connections/connections.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { attemptOfBrokerOrder, clientOrderIds } from "../storage/order-attempts.ts";
import { accountsOfClientOrderId } from "../storage/order-requests.ts";
import type { Storage } from "../storage/storage.ts";
import { AccountTurns } from "./account-turns.ts";
import { cancelOrder } from "./cancel-order.ts";
import { confirmOrder, declineOrder } from "./confirm-order.ts";
import { findOrder } from "./find-order.ts";
import { placeOrder } from "./place-order.ts";
import { previewOrder } from "./preview-order.ts";
import type { PipelineDeps } from "./run-attempt.ts";
import { Settlement } from "./settlement.ts";
import type { Trading } from "./trading.ts";

export interface TradingDeps {
  readonly storage: Storage;
  readonly connections: Pick<Connections, "open">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Most accounts named for one client order id; more than one makes the caller say which is meant. */
const MAX_ACCOUNTS = 5;

/** Makes the order pipeline over a database and the pool of connections. Call `reconcile` once at start, `close` at the end. */
export function createTrading(deps: TradingDeps): Trading {
  const settlement = new Settlement(deps);
  const turns = new AccountTurns(deps.clock, deps.log);
  const pipeline: PipelineDeps = { ...deps, turns, settlement };
  return {
    placeOrder: (request, call) => placeOrder(pipeline, request, call),
    confirmOrder: (request, call) => confirmOrder(pipeline, request, call),
    declineOrder: (request, call) => declineOrder(pipeline, request, call),
    cancelOrder: (name, call) => cancelOrder(pipeline, name, call),
    findOrder: (name, call) => findOrder(pipeline, name, call),
    previewOrder: (draft, call) => previewOrder(pipeline, draft, call),
    accountsOf: async ({ orderId, clientOrderId }, { userId, connectionId }) => {
      const { db } = deps.storage;
      if (clientOrderId !== undefined) return accountsOfClientOrderId(db, { userId, connectionId, clientOrderId }, MAX_ACCOUNTS);
      const attempt = orderId === undefined ? undefined : await attemptOfBrokerOrder(db, { userId, connectionId }, orderId);
      return attempt === undefined ? [] : [attempt.account_id];
    },
    clientOrderIds: (customerOrderIds, { userId, connectionId }) =>
      clientOrderIds(deps.storage.db, { userId, connectionId }, customerOrderIds),
    reconcile: async () => {
      settlement.watch();
      await settlement.runRound();
    },
    close: async () => {
      await turns.idle();
      await settlement.close();
    },
  };
}
