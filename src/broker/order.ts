import type { Decimal } from "../lib/decimal.ts";
import type { OrderTypeName } from "./instrument.ts";

export type OrderSide = "BUY" | "SELL";

export type TimeInForce = "DAY" | "GTC" | "IOC";

/** One order as it is sent. Prices are in the instrument's currency; the client converts to IBKR's quoting unit. */
export interface OrderTicket {
  readonly accountId: string;
  readonly conid: number;
  readonly side: OrderSide;
  readonly quantity: Decimal;
  readonly orderType: OrderTypeName;
  readonly limitPrice: Decimal | undefined;
  readonly stopPrice: Decimal | undefined;
  readonly timeInForce: TimeInForce;
  readonly outsideRth: boolean;
  /** IBKR's `cOID`: ours, one per attempt; IBKR refuses a second order with the same one for 24 hours. */
  readonly customerOrderId: string;
}

/** A question that IBKR asks before it takes an order. */
export interface BrokerQuestion {
  /** Where the answer goes; valid once, for a short time. */
  readonly replyId: string;
  /** IBKR's texts, one per message, line breaks removed. */
  readonly messages: readonly string[];
  /** IBKR's message ids, such as `o163`. */
  readonly messageIds: readonly string[];
}

/** Nothing is proven: the request may have had its effect. What IBKR said is carried for people to read. */
export interface UnknownOutcome {
  readonly kind: "unknown";
  readonly error: Error;
  /** IBKR's words on one line, at most 500 characters. */
  readonly said?: string;
  /** IBKR's id of the order that the response names. */
  readonly orderId?: string;
  /** IBKR knows the `cOID` already: a request with it has arrived, which is no proof of an order. */
  readonly isRegistered?: true;
}

/**
 * Outcome of sending an order or a "yes" to a question. `rejected` is IBKR's definite no. `not_sent` is proof that no byte
 * left. `unknown`: look the order up by `customerOrderId`.
 */
export type SubmitOutcome =
  | { readonly kind: "accepted"; readonly orderId: string; readonly status: OrderStatusName }
  | { readonly kind: "question"; readonly question: BrokerQuestion }
  | { readonly kind: "rejected"; readonly reason: string }
  | { readonly kind: "not_sent"; readonly error: Error }
  | UnknownOutcome;

/** Outcome of a "no" to a question. `declined`: IBKR confirmed that the order was not placed. */
export type DeclineOutcome = { readonly kind: "declined" } | UnknownOutcome;

/** What came of asking for a cancellation. `requested` is not yet `Cancelled`: a fill can still win. */
export type CancelOutcome =
  | { readonly kind: "requested"; readonly message: string }
  | { readonly kind: "not_found"; readonly message: string }
  | { readonly kind: "not_working"; readonly message: string }
  | UnknownOutcome;

/** IBKR's order states, and ours for one that we don't know. There is no `Rejected` (it is `Inactive` or `Cancelled`) and no `PartiallyFilled`. */
export const ORDER_STATUS_NAMES = [
  "Inactive",
  "PendingSubmit",
  "PreSubmitted",
  "Submitted",
  "Filled",
  "PendingCancel",
  "PreCancelled",
  "Cancelled",
  "WarnState",
  "Unknown",
] as const;

export type OrderStatusName = (typeof ORDER_STATUS_NAMES)[number];

/** An order of today or still working. Prices are in `currency`. */
export interface Order {
  readonly orderId: string;
  readonly accountId: string;
  readonly conid: number;
  readonly symbol: string | undefined;
  readonly secType: string | undefined;
  readonly side: OrderSide | undefined;
  /** Our names for the four types that we place; IBKR's text for any other. */
  readonly orderType: string;
  readonly status: OrderStatusName;
  readonly statusDescription: string | undefined;
  readonly quantity: Decimal | undefined;
  readonly filledQuantity: Decimal | undefined;
  readonly remainingQuantity: Decimal | undefined;
  readonly limitPrice: Decimal | undefined;
  readonly stopPrice: Decimal | undefined;
  readonly averagePrice: Decimal | undefined;
  readonly currency: string | undefined;
  readonly timeInForce: string | undefined;
  readonly outsideRth: boolean | undefined;
  /** The `cOID` that it was sent with (`order_ref`). */
  readonly customerOrderId: string | undefined;
  readonly lastUpdateAt: number | undefined;
}

/** Orders as IBKR listed them at `asOf`, epoch ms. */
export interface OrderList {
  readonly orders: readonly Order[];
  readonly asOf: number;
}

/**
 * Orders and executions that were seen at IBKR, by its lists and by its stream. An order in here is there. An order that is
 * missing proves nothing.
 */
export interface OrderSightings {
  readonly orders: readonly Order[];
  readonly trades: readonly Trade[];
  /** Epoch ms of IBKR's list of orders. */
  readonly asOf: number;
}

/** One amount before and after an order, in the account's base currency. */
export interface MarginChange {
  readonly current: Decimal | undefined;
  readonly change: Decimal | undefined;
  readonly after: Decimal | undefined;
}

/** IBKR's what-if for an order: nothing is placed. */
export interface OrderPreview {
  readonly amount: Decimal | undefined;
  readonly amountCurrency: string | undefined;
  /** Text, since IBKR may give a range: `"0.7 … 1 USD"`. */
  readonly commission: string | undefined;
  readonly total: Decimal | undefined;
  readonly equity: MarginChange;
  readonly initialMargin: MarginChange;
  readonly maintenanceMargin: MarginChange;
  readonly position: MarginChange;
  readonly warnings: readonly string[];
  readonly error: string | undefined;
}

/** One execution. `price` is in `currency`. */
export interface Trade {
  readonly executionId: string;
  readonly orderId: string | undefined;
  readonly customerOrderId: string | undefined;
  readonly accountId: string;
  readonly conid: number;
  readonly symbol: string | undefined;
  readonly side: OrderSide | undefined;
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly commission: Decimal | undefined;
  readonly currency: string | undefined;
  readonly at: number;
  /** IBKR told no time: `at` is when its first row came. */
  readonly isTimeApproximate: boolean;
}
