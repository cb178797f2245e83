import type { Caller } from "../connections/caller.ts";
import type { Connections } from "../connections/connections.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { attemptOfBrokerOrder } from "../storage/order-attempts.ts";
import { findOrderRequestsNamed } from "../storage/order-requests.ts";
import type { Processes } from "../storage/processes.ts";
import type { Storage } from "../storage/storage.ts";
import { AccountTurns } from "./account-turns.ts";
import { Alarm, type OnAlarm } from "./alarm.ts";
import { AttemptAges } from "./attempt-ages.ts";
import { Burial } from "./burial.ts";
import { cancelOrder } from "./cancel-order.ts";
import { confirmOrder, declineOrder } from "./confirm-order.ts";
import { findOrder, recognize } from "./find-order.ts";
import { OrderEnds } from "./order-end-rows.ts";
import { type OnUnresolved, OrderWatch } from "./order-watch.ts";
import type { PipelineDeps, Running } from "./pipeline.ts";
import { placeOrder } from "./place-order.ts";
import { PlacedOrders } from "./placed-orders.ts";
import { previewOrder } from "./preview-order.ts";
import type { OrderName, Trading, TradingCall } from "./trading.ts";
import { decideOrder, unresolvedOrder, unresolvedOrders } from "./unresolved-orders.ts";

export interface TradingDeps {
  readonly storage: Storage;
  readonly processes: Processes;
  readonly connections: Pick<Connections, "open">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Called for an order that contradicts what was known. */
  readonly onAlarm?: OnAlarm;
  /** Called for an order that a person has to decide about. */
  readonly onUnresolved?: OnUnresolved;
}

/** Most accounts named for one client order id; more than one makes the caller say which is meant. */
const MAX_ACCOUNTS = 5;

/** Creates the order pipeline over a database and the pool of connections. Call `reconcile` once at start, `close` at the end. */
export function createTrading(deps: TradingDeps): Trading {
  const pipeline = assemble(deps);
  const { turns, watch, ends, ages } = pipeline;
  const heard = (call: TradingCall): TradingCall => {
    ages.heard(call.caller.connectionId, call.broker.time());
    return call;
  };
  return {
    placeOrder: (request, call) => placeOrder(pipeline, request, heard(call)),
    confirmOrder: (request, call) => confirmOrder(pipeline, request, heard(call)),
    declineOrder: (request, call) => declineOrder(pipeline, request, call),
    cancelOrder: (name, call) => cancelOrder(pipeline, name, call),
    findOrder: (name, call) => findOrder(pipeline, name, call),
    previewOrder: (draft, call) => previewOrder(pipeline, draft, call),
    accountsOf: (name, caller) => accountsOf(pipeline, name, caller),
    recognize: (seen, call) => recognize(pipeline, seen, call),
    unresolvedOrders: (userId) => unresolvedOrders(pipeline, userId),
    unresolvedOrder: (ref) => unresolvedOrder(pipeline, ref),
    decideOrder: (decision) => decideOrder(pipeline, decision),
    reconcile: async () => {
      watch.watch();
      await watch.runRound();
    },
    close: async () => {
      await turns.idle();
      await watch.close();
      await ends.close();
    },
  };
}

function assemble(deps: TradingDeps): PipelineDeps {
  const { clock, log } = deps;
  const running: Running = { requests: new Set(), attempts: new Set() };
  const ages = new AttemptAges(clock);
  const alarm = new Alarm(deps);
  const placed = new PlacedOrders({ ...deps, ages, alarm });
  const burial = new Burial({ ...deps, running });
  return {
    ...deps,
    turns: new AccountTurns(clock, log),
    running,
    ages,
    burial,
    alarm,
    placed,
    ends: new OrderEnds({ ...deps, running, ages, alarm }),
    watch: new OrderWatch({ ...deps, running, ages, burial, placed }),
  };
}

async function accountsOf(
  { storage }: PipelineDeps,
  { orderId, clientOrderId }: Omit<OrderName, "accountId">,
  { userId, connectionId, nameSpace }: Caller,
): Promise<readonly string[]> {
  if (clientOrderId !== undefined) {
    const rows = await findOrderRequestsNamed(storage.db, { userId, connectionId, clientOrderId }, MAX_ACCOUNTS);
    const own = rows.filter((row) => row.name_space === nameSpace);
    return [...new Set((own.length > 0 ? own : rows).map((row) => row.account_id))];
  }
  const attempt = orderId === undefined ? undefined : await attemptOfBrokerOrder(storage.db, { userId, connectionId }, orderId);
  return attempt === undefined ? [] : [attempt.account_id];
}
