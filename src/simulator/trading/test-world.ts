import { DatabaseSync } from "node:sqlite";

import { Decimal } from "../../lib/decimal.ts";
import { seededRandom } from "../../lib/random.ts";
import { createMarket } from "../market/create-market.ts";
import type { Market } from "../market/market.ts";
import { createTrading } from "./create-trading.ts";
import type { TradingOptions } from "./create-trading.ts";
import type { DeskReply, Sender } from "./order-desk.ts";
import type { Execution, SimOrder, Ticket } from "./records.ts";
import type { Trading } from "./trading.ts";

/** Contracts that tests trade; THIN trades little. */
export const CONID = { AAPL: 265598, MSFT: 272093, SPY: 756733, KO: 8894, SAP: 14204, VOD: 29612193, THIN: 75968007, EURUSD: 12087792 };
/** The demo's account in USD. */
export const DU1 = "DU7100001";
/** The demo's account in EUR. */
export const DU2 = "DU7100002";

/** Every message id that the simulator asks about. */
const ALL_MESSAGES = ["o163", "o354", "o382", "o383", "o403", "o451", "o10138", "o10151", "o10152", "o10153", "o10164"];
/** Someone who has suppressed every question. */
export const UNASKED: Sender = { userName: "simuser1", suppressed: new Set(ALL_MESSAGES) };

/** A brokerage on the simulated market at a time that the test turns. */
export interface TestWorld {
  readonly market: Market;
  readonly database: DatabaseSync;
  readonly trading: Trading;
  readonly now: number;
  /** Lets `ms` pass in steps of `stepMs`. */
  pass(ms: number, stepMs?: number): void;
  /** Places an order without questions and answers it; throws when it isn't accepted. */
  place(terms: Terms): SimOrder;
  tryPlace(terms: Terms, sender?: Sender): DeskReply;
  order(id: number): SimOrder;
  fillsOf(id: number): readonly Execution[];
  /** Stops the brokerage without a word and opens it again from its database. */
  crash(): void;
}

/** A ticket with defaults: a DAY market order to buy one AAPL in the first account. */
export type Terms = Partial<Omit<Ticket, "quantity" | "limitPrice" | "stopPrice">> & {
  readonly quantity?: string;
  readonly limitPrice?: Decimal | undefined;
  readonly stopPrice?: Decimal | undefined;
};

export interface TestWorldOptions extends TradingOptions {
  readonly seed?: string;
  readonly alwaysOpen?: boolean;
  readonly now?: number;
}

/** Makes a brokerage with its demo accounts; a Monday, 10:30 in New York, unless another time is given. */
export function createTestWorld({
  seed = "test",
  alwaysOpen = true,
  now = Date.UTC(2026, 10, 23, 15, 30),
  ...options
}: TestWorldOptions = {}): TestWorld {
  const market = createMarket({ seed, alwaysOpen });
  const database = new DatabaseSync(":memory:");
  const random = seededRandom(seed);
  const open = (at: number): Trading => createTrading({ market, random, store: database, now: at }, options);
  const state = { now, trading: open(now) };
  state.trading.advance(now);
  const tryPlace = (terms: Terms, sender: Sender = UNASKED): DeskReply => state.trading.desk.place(ticketOf(terms), sender, state.now);
  return {
    market,
    database,
    get trading() {
      return state.trading;
    },
    get now() {
      return state.now;
    },
    pass: (ms, stepMs = 1000) => {
      for (let passed = 0; passed < ms; passed += stepMs) {
        state.now += Math.min(stepMs, ms - passed);
        state.trading.advance(state.now);
      }
    },
    tryPlace,
    place: (terms) => {
      const reply = tryPlace(terms);
      if (reply.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(reply)}`);
      return reply.order;
    },
    order: (id) => {
      const order = state.trading.order(id);
      if (order === undefined) throw new Error(`no order ${id}`);
      return order;
    },
    fillsOf: (id) =>
      state.trading.accountIds
        .flatMap((account) => state.trading.executions(account, 0))
        .filter((execution) => execution.orderId === id)
        .toReversed(),
    crash: () => {
      state.trading = open(state.now);
    },
  };
}

/** Completes a ticket. */
export function ticketOf({ quantity = "1", limitPrice, stopPrice, ...terms }: Terms): Ticket {
  const defaults = {
    accountId: DU1,
    conid: CONID.AAPL,
    side: "BUY",
    kind: "MKT",
    tif: "DAY",
    outsideRth: false,
    clientOrderId: undefined,
  } as const;
  return { ...defaults, ...terms, quantity: Decimal.parse(quantity), limitPrice, stopPrice };
}
