import type { Decimal } from "../../lib/decimal.ts";

export type Side = "BUY" | "SELL";

/** Every order type that the simulator takes. */
export const ORDER_KINDS = ["MKT", "LMT", "STP", "STOP_LIMIT", "TRAIL", "TRAILLMT", "MIT", "LIT", "MOC", "LOC", "MIDPRICE"] as const;

export type OrderKind = (typeof ORDER_KINDS)[number];

/** Every time in force that the simulator takes. */
export const TIFS = ["DAY", "GTC", "IOC", "OPG", "GTD"] as const;

export type Tif = (typeof TIFS)[number];

/** How far a trailing stop stays behind the market: an amount in the quoting unit, or a percentage of the price. */
export interface Trail {
  readonly amount: Decimal;
  readonly unit: "amt" | "%";
}

/** A paper account. */
export interface SimAccount {
  readonly id: string;
  /** The owner's name. */
  readonly title: string;
  readonly baseCurrency: string;
  /** Epoch ms. */
  readonly openedAt: number;
}

/** Money that was paid in (or out, when negative). */
export interface Deposit {
  readonly accountId: string;
  readonly currency: string;
  readonly amount: Decimal;
  readonly at: number;
}

/** An order as it was sent, checked. Prices are in the unit that the instrument is quoted in. */
export interface Ticket {
  readonly accountId: string;
  readonly conid: number;
  readonly side: Side;
  readonly kind: OrderKind;
  readonly quantity: Decimal;
  readonly limitPrice: Decimal | undefined;
  readonly stopPrice: Decimal | undefined;
  readonly tif: Tif;
  readonly outsideRth: boolean;
  /** The sender's `cOID`. */
  readonly clientOrderId: string | undefined;
  /** Of a trailing stop. Its `stopPrice` may be absent at first: it then begins at this distance from the market. */
  readonly trail?: Trail | undefined;
  /** Epoch ms until when a GTD order is good. */
  readonly goodTill?: number | undefined;
  /** The money that `quantity` was computed from, in the instrument's currency. */
  readonly cashQuantity?: Decimal | undefined;
  /** The order that must fill before this one works. */
  readonly parentOrderId?: number | undefined;
  /** Orders of one group end each other: `oca-…` when one of them fills, `bracket-…` by as much as it fills. */
  readonly group?: string | undefined;
}

/** `working` until it is done; `inactive` was refused after it had been taken. */
export type OrderState = "working" | "filled" | "cancelled" | "inactive";

/** An order and how far it has come. */
export interface SimOrder extends Ticket {
  readonly id: number;
  readonly state: OrderState;
  /** A stop whose price was reached. */
  readonly triggered: boolean;
  /** It has reached an open market once, and so taken what was shown there. */
  readonly arrived: boolean;
  readonly filled: Decimal;
  /** Sum of price × quantity over its fills, in the quoting unit. */
  readonly filledValue: Decimal;
  /** Commission charged so far, in the currency of the instrument. */
  readonly commission: Decimal;
  readonly placedAt: number;
  /** When it was last placed or changed: what traded earlier doesn't concern it. */
  readonly activeFrom: number;
  readonly updatedAt: number;
  /** Epoch ms when a DAY order dies; undefined for other times in force. */
  readonly expiresAt: number | undefined;
  readonly cancelRequestedAt: number | undefined;
  /** It waits for its parent to fill. */
  readonly held?: boolean | undefined;
}

/** One execution. */
export interface Execution {
  readonly executionId: string;
  readonly accountId: string;
  /** Undefined for an opening balance and for an option's settlement. */
  readonly orderId: number | undefined;
  readonly clientOrderId: string | undefined;
  readonly conid: number;
  readonly side: Side;
  readonly quantity: Decimal;
  /** In the quoting unit. */
  readonly price: Decimal;
  /** price × quantity × multiplier ÷ magnifier, always positive, in `currency`. */
  readonly amount: Decimal;
  /** In `currency`. */
  readonly commission: Decimal;
  readonly currency: string;
  /** For a currency pair: the currency that `quantity` counts. */
  readonly exchangedCurrency: string | undefined;
  readonly exchange: string;
  readonly at: number;
}
