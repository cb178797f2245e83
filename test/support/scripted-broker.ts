/** IBKR as a script, at the port between our tools and it: for tests of one step of the order pipeline. */
import type { Broker, CallOptions } from "../../src/broker/broker.ts";
import type { TradingRules } from "../../src/broker/instrument.ts";
import type { CancelOutcome, DeclineOutcome, Order, OrderSightings, OrderTicket, SubmitOutcome } from "../../src/broker/order.ts";

/** One response to an order or a yes; a function runs after it has left. */
export type ScriptedAnswer = SubmitOutcome | (() => SubmitOutcome | Promise<SubmitOutcome>);

export interface ScriptedBroker {
  readonly broker: Broker;
  /** Responses to orders and yeses, in order. */
  readonly answers: ScriptedAnswer[];
  /** Orders, yeses and noes that left. */
  readonly sent: string[];
  /** Every question to IBKR, in order: `look DU1 2`, `order DU1 7`, `orders DU1`, `cancel DU1 7`. */
  readonly asked: string[];
  decline: DeclineOutcome;
  cancel: CancelOutcome | (() => Promise<CancelOutcome>);
  /** What a look sees. An error is thrown instead. */
  sightings: Partial<OrderSightings> | Error;
  /** Orders by their id, as IBKR answers for one at a time. A list is answered in order, its last entry for good. */
  readonly orders: Map<string, Order | Error | readonly (Order | undefined)[]>;
  /** IBKR's own time. */
  time: number | undefined;
}

/** IBKR takes the order. */
export const ACCEPTED = { kind: "accepted", orderId: "7", status: "Submitted" } as const;
/** IBKR asks about the order. */
export const QUESTION = { kind: "question", question: { replyId: "r1", messages: ["Really?"], messageIds: ["o163"] } } as const;

/** What keeps an order or a yes back as it leaves, as a link asks it; undefined where it may go. */
export async function refusedLeave({ leave }: CallOptions): Promise<Error | undefined> {
  try {
    await leave?.allow();
    leave?.check();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** A new one that knows nothing. */
export function scriptedBroker(): ScriptedBroker {
  const submit = async (what: string, options: CallOptions): Promise<SubmitOutcome> => {
    const error = await refusedLeave(options);
    if (error !== undefined) return { kind: "not_sent", error };
    script.sent.push(what);
    const answer = script.answers.shift();
    if (answer === undefined) throw new Error(`the script has no response to ${what}`);
    return typeof answer === "function" ? await answer() : answer;
  };
  const broker: Partial<Broker> = {
    mode: "simulated",
    time: () => script.time,
    tradingRules: () => Promise.resolve(ANY_ORDER),
    submitOrder: (ticket, options) => submit(orderLine(ticket), options),
    confirmQuestion: (accountId, replyId, options) => submit(`yes ${accountId} ${replyId}`, options),
    declineQuestion: (accountId, replyId) => {
      script.sent.push(`no ${accountId} ${replyId}`);
      return Promise.resolve(script.decline);
    },
    cancelOrder: (accountId, orderId) => {
      script.asked.push(`cancel ${accountId} ${orderId}`);
      return Promise.resolve(typeof script.cancel === "function" ? script.cancel() : script.cancel);
    },
    lookForOrders: (accountId, days) => {
      script.asked.push(`look ${accountId} ${days}`);
      if (script.sightings instanceof Error) return Promise.reject(script.sightings);
      return Promise.resolve({ orders: [], trades: [], asOf: 0, ...script.sightings });
    },
    orders: (accountId) => {
      script.asked.push(`orders ${accountId}`);
      return Promise.resolve({ orders: [...script.orders.values()].filter(isOrder), asOf: 0 });
    },
    order: (accountId, orderId) => {
      script.asked.push(`order ${accountId} ${orderId}`);
      const known = script.orders.get(orderId);
      if (known instanceof Error) return Promise.reject(known);
      if (!Array.isArray(known)) return Promise.resolve(known as Order | undefined);
      const [first, ...rest] = known as readonly (Order | undefined)[];
      if (rest.length > 0) script.orders.set(orderId, rest);
      return Promise.resolve(first);
    },
  };
  const script: ScriptedBroker = {
    broker: broker as Broker,
    answers: [],
    sent: [],
    asked: [],
    decline: { kind: "declined" },
    cancel: { kind: "requested", message: "Request was submitted" },
    sightings: {},
    orders: new Map(),
    time: undefined,
  };
  return script;
}

/** Rules that refuse nothing. */
const ANY_ORDER: TradingRules = {
  conid: 265598,
  orderTypes: undefined,
  orderTypesOutsideRth: undefined,
  priceIncrements: undefined,
  sizeIncrement: undefined,
  fractionTypes: undefined,
  fractionPlaces: undefined,
};

const isOrder = (value: unknown): value is Order => typeof value === "object" && value !== null && "orderId" in value;

function orderLine({ accountId, customerOrderId, side, quantity }: OrderTicket): string {
  return `order ${accountId} ${customerOrderId} ${side} ${quantity.toString()}`;
}
