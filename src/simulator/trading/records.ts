import type { Decimal } from "../../lib/decimal.ts";

export type Side = "BUY" | "SELL";

export type OrderKind = "MKT" | "LMT" | "STP" | "STOP_LIMIT";

export type Tif = "DAY" | "GTC" | "IOC";

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
