/** The order pipeline over a temporary database, a clock that a test turns, and an IBKR that answers by script. */
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

import type { Caller } from "../../src/connections/caller.ts";
import { Decimal } from "../../src/lib/decimal.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { OrderAttemptRow } from "../../src/storage/order-attempts.ts";
import type { OrderRequestRow } from "../../src/storage/order-requests.ts";
import type { Processes } from "../../src/storage/processes.ts";
import type { ContradictingOrder } from "../../src/trading/alarm.ts";
import { createTrading } from "../../src/trading/create-trading.ts";
import type { OrderDraft } from "../../src/trading/order-draft.ts";
import type { PlaceRequest, Trading, TradingCall } from "../../src/trading/trading.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { keyOf, letIn } from "./let-in.ts";
import { openOrderRows, type OrderRows } from "./order-rows.ts";
import { type ScriptedBroker, scriptedBroker } from "./scripted-broker.ts";
import { recordingLog } from "./silent-log.ts";
import { singleProcess } from "./single-process.ts";

/** Id of the process that a bench stands for; `prc_alive` lives beside it. */
export const OWN_PROCESS = "prc_own";

export interface PipelineBench {
  readonly rows: OrderRows;
  readonly clock: FakeClock;
  readonly trading: Trading;
  readonly script: ScriptedBroker;
  readonly caller: Caller;
  readonly lines: readonly Record<string, unknown>[];
  readonly alarms: readonly ContradictingOrder[];
  /** Requests that were put to their owner. */
  readonly unresolved: readonly string[];
  /** Connections that the watch opened. */
  readonly opened: readonly string[];
  /** Runs when a transaction has committed; what it throws reaches the pipeline in the commit's place. */
  setAfterCommit(hook: (() => void) | undefined): void;
  /** While it is set, opening a connection fails with it. */
  setUnreachable(error: Error | undefined): void;
  /** Its requests, the oldest first. */
  requests(): Promise<readonly OrderRequestRow[]>;
  /** Their attempts by generation. */
  attempts(): Promise<readonly OrderAttemptRow[]>;
  /** Ends of the `cOID`s of the orders that left, such as `-1`. */
  cOIDs(): readonly (string | undefined)[];
  call(change?: { readonly caller?: Partial<Caller>; readonly signal?: AbortSignal }): TradingCall;
  place(change?: Partial<PlaceRequest>, call?: TradingCall): ReturnType<Trading["placeOrder"]>;
  /** Turns the clock until this has ended. */
  finish<T>(work: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The order of a bench: buy 10 AAPL at 230. */
export const DRAFT: OrderDraft = {
  accountId: "DU1234567",
  conid: 265598,
  symbol: "AAPL",
  currency: "USD",
  side: "BUY",
  quantity: Decimal.fromInteger(10),
  orderType: "LMT",
  limitPrice: Decimal.fromInteger(230),
  stopPrice: undefined,
  timeInForce: "DAY",
  outsideRth: false,
};

/** One for the tests of a file: over one database, and started anew before each test. */
export function pipelineBench(): PipelineBench {
  const bench = {} as PipelineBench;
  let rows: OrderRows;
  beforeAll(async () => {
    rows = await openOrderRows();
  });
  afterAll(() => rows.stop());
  beforeEach(async () => {
    Object.assign(bench, await start(rows));
  });
  afterEach(() => bench.finish(bench.close()));
  return bench;
}

/** Starts one over these rows, which it empties; the caller's key may write. */
async function start(rows: OrderRows): Promise<PipelineBench> {
  await rows.clear();
  const { storage, owner } = rows;
  await storage.db
    .updateTable("connections")
    .set({ paused_at: null, frozen_at: null, orders_stopped_at: null, duplicate_refusals_proven_at: null })
    .execute();
  await storage.db.deleteFrom("api_keys").execute();
  const clock = fakeClock();
  const script = scriptedBroker();
  const { log, lines } = recordingLog();
  const [alarms, unresolved, opened]: [ContradictingOrder[], string[], string[]] = [[], [], []];
  let unreachable: Error | undefined;
  let afterCommit: (() => void) | undefined;
  const processes: Processes = {
    ...singleProcess(OWN_PROCESS),
    isAlive: (id) => Promise.resolve(id === OWN_PROCESS || id === "prc_alive"),
  };
  const trading = createTrading({
    storage: {
      ...storage,
      transaction: async (work, options) => {
        const result = await storage.transaction(work, options);
        afterCommit?.();
        return result;
      },
    },
    processes,
    clock,
    random: systemRandom,
    log,
    connections: {
      open: ({ connectionId }) => {
        if (unreachable !== undefined) return Promise.reject(unreachable);
        opened.push(connectionId);
        return Promise.resolve({ broker: script.broker });
      },
    } as Parameters<typeof createTrading>[0]["connections"],
    onAlarm: (order) => void alarms.push(order),
    onUnresolved: ({ id }) => void unresolved.push(id),
  });
  const caller = keyOf(owner, "key_bench");
  await letIn(storage, caller, 1);
  const call: PipelineBench["call"] = ({ caller: change = {}, signal = new AbortController().signal } = {}) => ({
    caller: { ...caller, ...change },
    broker: script.broker,
    call: { signal, caller: caller.id },
  });
  return {
    rows,
    clock,
    trading,
    script,
    caller,
    lines,
    alarms,
    unresolved,
    opened,
    setAfterCommit: (hook) => {
      afterCommit = hook;
    },
    setUnreachable: (error) => {
      unreachable = error;
    },
    requests: async () => await storage.db.selectFrom("order_requests").selectAll().orderBy("created_at").execute(),
    attempts: async () => await storage.db.selectFrom("order_attempts").selectAll().orderBy("generation").execute(),
    cOIDs: () => script.sent.flatMap((line) => (line.startsWith("order") ? [line.split(" ")[2]?.slice(-2)] : [])),
    call,
    place: (change = {}, through = call()) =>
      trading.placeOrder({ draft: DRAFT, clientOrderId: "c1", reason: undefined, ...change }, through),
    finish: (work) => clock.until(work),
    close: () => trading.close(),
  };
}
