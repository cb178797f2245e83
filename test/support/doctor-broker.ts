import type { Broker, CallOptions } from "../../src/broker/broker.ts";
import type { Instrument } from "../../src/broker/instrument.ts";
import type { Quote } from "../../src/broker/market-data.ts";
import type { CancelOutcome, DeclineOutcome, Order, OrderStatusName, SubmitOutcome, Trade } from "../../src/broker/order.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { Decimal } from "../../src/lib/decimal.ts";
import { listedOrder, listedTrade } from "./listed-orders.ts";
import { refusedLeave } from "./scripted-broker.ts";

/** What the doctor asks of a broker. */
type Asked =
  | "accounts"
  | "stocks"
  | "quotes"
  | "submitOrder"
  | "confirmQuestion"
  | "declineQuestion"
  | "lookForOrders"
  | "order"
  | "cancelOrder";

/** A broker that asks one question about each order and refuses a `cOID` twice, unless a test has it do otherwise. */
export interface DoctorBroker {
  readonly broker: Broker;
  /** What was asked of it, in order, such as `order gwdoc-1` and `cancel 1`; an order or a yes once it has left. */
  readonly asked: string[];
  /** The options of each call. */
  readonly options: CallOptions[];
  /** The tickets of the orders that left. */
  readonly tickets: Parameters<Broker["submitOrder"]>[0][];
  /** Its orders by id, as its lists show them. */
  readonly orders: Map<string, Order>;
  /** Has it do some calls otherwise. */
  does(calls: Partial<Pick<Broker, Asked | "time">>): void;
  /** Puts an order there. */
  place(order: Pick<Order, "orderId" | "customerOrderId"> & { readonly status?: OrderStatusName }): SubmitOutcome;
}

/** How far its clock is ahead of the gateway's. */
export const AHEAD_MS = 250;
/** More shares than anybody can buy. */
const TOO_MANY = Decimal.fromInteger(1_000_000);

/** Makes one without orders. */
export function doctorBroker(clock: Pick<Clock, "now">): DoctorBroker {
  const asked: string[] = [];
  const options: CallOptions[] = [];
  const tickets: DoctorBroker["tickets"] = [];
  const orders = new Map<string, Order>();
  const known = new Set<string>();
  let count = 0;
  const place: DoctorBroker["place"] = ({ orderId, customerOrderId, status = "Submitted" }) => {
    orders.set(orderId, listedOrder({ accountId: "DU1", orderId, customerOrderId, status }));
    return { kind: "accepted", orderId, status };
  };
  const usual: Pick<Broker, Asked | "time"> = {
    time: () => clock.now() + AHEAD_MS,
    accounts: async () => [account("DU1"), account("DU2")],
    stocks: async (symbol) => [stock(7, symbol, "CAD"), stock(265598, symbol, "USD")],
    quotes: async (conids) => conids.map((conid) => quote(conid, "201.10")),
    submitOrder: async ({ customerOrderId, quantity }) => {
      if (known.has(customerOrderId)) return registered(customerOrderId);
      if (quantity.greaterThan(TOO_MANY)) return { kind: "rejected", reason: "Too many shares." };
      return question(customerOrderId, "Is the price right?");
    },
    confirmQuestion: async (_accountId, customerOrderId) => {
      known.add(customerOrderId);
      count += 1;
      return place({ orderId: String(count), customerOrderId });
    },
    declineQuestion: async () => ({ kind: "declined" }),
    lookForOrders: async () => ({ orders: [...orders.values()], trades: [], asOf: clock.now() }),
    order: async (_accountId, orderId) => orders.get(orderId),
    cancelOrder: async (_accountId, orderId) => {
      const order = orders.get(orderId);
      if (order === undefined) return { kind: "not_found", message: "no such order" };
      orders.set(orderId, { ...order, status: "Cancelled" });
      return { kind: "requested", message: "requested" };
    },
  };
  const script = { ...usual };
  const hear = (what: string, call: CallOptions): void => {
    asked.push(what);
    options.push(call);
  };
  /** A call that may leave once only, and says so when it may not. */
  const leaving = async (what: string, call: CallOptions, send: () => Promise<SubmitOutcome>): Promise<SubmitOutcome> => {
    const error = await refusedLeave(call);
    if (error !== undefined) return { kind: "not_sent", error };
    hear(what, call);
    return await send();
  };
  const broker: Pick<Broker, Asked | "time" | "mode"> = {
    mode: "paper",
    time: () => script.time(),
    accounts: async (call) => (hear("accounts", call), await script.accounts(call)),
    stocks: async (symbol, call) => (hear(`stocks ${symbol}`, call), await script.stocks(symbol, call)),
    quotes: async (conids, call) => (hear(`quotes ${conids.join()}`, call), await script.quotes(conids, call)),
    submitOrder: (ticket, call) =>
      leaving(`order ${ticket.customerOrderId}`, call, async () => (tickets.push(ticket), await script.submitOrder(ticket, call))),
    confirmQuestion: (accountId, replyId, call) =>
      leaving(`yes ${accountId} ${replyId}`, call, () => script.confirmQuestion(accountId, replyId, call)),
    declineQuestion: async (accountId, replyId, call): Promise<DeclineOutcome> => {
      hear(`no ${accountId} ${replyId}`, call);
      return await script.declineQuestion(accountId, replyId, call);
    },
    lookForOrders: async (accountId, days, call) => {
      hear(`look ${accountId} ${days}`, call);
      return await script.lookForOrders(accountId, days, call);
    },
    order: async (accountId, orderId, call) => (hear(`status ${accountId} ${orderId}`, call), await script.order(accountId, orderId, call)),
    cancelOrder: async (accountId, orderId, call): Promise<CancelOutcome> => {
      hear(`cancel ${accountId} ${orderId}`, call);
      return await script.cancelOrder(accountId, orderId, call);
    },
  };
  return {
    // The doctor uses these calls only; a test that needs another one fails.
    broker: broker as Broker,
    asked,
    options,
    tickets,
    orders,
    does: (calls) => void Object.assign(script, calls),
    place,
  };
}

/** IBKR's refusal of a `cOID` that it knows. */
export function registered(customerOrderId: string): SubmitOutcome {
  return { kind: "unknown", error: new Error("refused"), said: `${customerOrderId} is already registered.`, isRegistered: true };
}

/** A question with these messages. */
export function question(replyId: string, ...messages: readonly string[]): SubmitOutcome {
  return { kind: "question", question: { replyId, messages, messageIds: [] } };
}

/** An execution of an order. */
export function execution(orderId: string | undefined, customerOrderId: string | undefined): Trade {
  return listedTrade({ accountId: "DU1", orderId, customerOrderId });
}

const account = (accountId: string) => ({ accountId, title: undefined, type: undefined, baseCurrency: "USD" });

/** A listing of a stock. */
export function stock(conid: number, symbol: string, currency: string): Instrument {
  const none = { name: undefined, exchange: undefined, multiplier: undefined, right: undefined, strike: undefined };
  return { ...none, conid, symbol, currency, secType: "STK", expiry: undefined, underlyingConid: undefined };
}

/** A quote that shows a price, or none. */
export function quote(conid: number, last: string | undefined, priorClose?: string): Quote {
  const decimal = (text: string | undefined) => (text === undefined ? undefined : Decimal.parse(text));
  return { conid, last: decimal(last), priorClose: decimal(priorClose) } as Quote;
}
