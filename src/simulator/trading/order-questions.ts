import { Decimal } from "../../lib/decimal.ts";
import { amountOf, priceText, tickOf } from "./amounts.ts";
import { stopReached } from "./matching.ts";
import { grouped } from "./number-text.ts";
import { expectedPrice, referencePrice } from "./order-refusals.ts";
import type { OrderContext } from "./order-refusals.ts";
import { questionText } from "./order-text.ts";
import type { OrderKind, SimOrder, Ticket } from "./records.ts";

const PERCENTAGE = 3;
const PERCENTAGE_LIMIT = Decimal.parse("0.03");
const SIZE_LIMIT = Decimal.fromInteger(500);
/** In USD. */
const VALUE_LIMIT = Decimal.fromInteger(100_000);
const SIZE_CHANGE_LIMIT = Decimal.fromInteger(2);
/** Most questions one after the other; what is left over is asked together in the last one. */
const MAX_CHAIN = 3;

/** One of IBKR's order messages (reference F.2). */
export interface OrderMessage {
  readonly id: string;
  readonly text: string;
}

/** What is asked at once, with one answer. */
export interface OrderQuestion {
  readonly messages: readonly OrderMessage[];
  readonly options: readonly [string, string];
}

/**
 * Lists what the broker asks before it takes an order, in the order of asking. Small orders at sensible prices in an open
 * market with data pass without a question; only a stop order is always asked about. `before` is the order that a ticket changes.
 */
export function questionsOf(ticket: Ticket, context: OrderContext, { suppressed, before }: QuestionOptions): readonly OrderQuestion[] {
  const messages = [
    ...limitMessages(ticket, context),
    ...dataMessages(ticket, context),
    ...sizeMessages(ticket, context, before),
    ...kindMessages(ticket, context),
    ...capMessages(ticket, context),
    ...cashMessages(ticket),
  ].filter(({ id }) => !suppressed.has(id));
  const chained = messages.slice(0, MAX_CHAIN - 1).map((message) => [message]);
  const rest = messages.slice(MAX_CHAIN - 1);
  return [...chained, ...(rest.length === 0 ? [] : [rest])].map((asked) => ({ messages: asked, options: optionsOf(asked) }));
}

export interface QuestionOptions {
  /** Message ids that this session doesn't want to see. */
  readonly suppressed: ReadonlySet<string>;
  readonly before: SimOrder | undefined;
}

function optionsOf(messages: readonly OrderMessage[]): readonly [string, string] {
  return messages.some(({ id }) => id === "o10153") ? ["Accept and Continue", "Decline"] : ["Yes", "No"];
}

function ask(ticket: Ticket, context: OrderContext, complaint: string): string {
  return `The following order "${questionText(ticket, context.instrument)}" ${complaint}.\nAre you sure you want to submit this order?`;
}

/** How far the limit is from the market, as a share; positive when it gives the market more than it asks. */
function aggression(ticket: Ticket, { market, now }: OrderContext): Decimal {
  if (ticket.limitPrice === undefined) return Decimal.zero;
  const reference = referencePrice(ticket, market, now);
  const difference = ticket.limitPrice.minus(reference).dividedBy(reference, 6);
  return ticket.side === "BUY" ? difference : difference.negated();
}

function limitMessages(ticket: Ticket, context: OrderContext): readonly OrderMessage[] {
  if (!aggression(ticket, context).abs().greaterThan(PERCENTAGE_LIMIT)) return [];
  return [{ id: "o163", text: ask(ticket, context, `price exceeds \nthe Percentage constraint of ${PERCENTAGE}%`) }];
}

function dataMessages(ticket: Ticket, context: OrderContext): readonly OrderMessage[] {
  const missing = context.instrument.availability === "none" ? [{ id: "o354", text: NO_DATA }] : [];
  const offTick = [ticket.limitPrice, ticket.stopPrice].find(
    (price) => price !== undefined && !price.isMultipleOf(tickOf(context.instrument, price)),
  );
  if (offTick === undefined) return missing;
  const tick = tickOf(context.instrument, offTick);
  const better = priceText(context.instrument, onTick(offTick, tick, ticket));
  const text = ask(ticket, context, `price exceeds \nthe Tick Size Limit of ${tick.toString()}. It will be placed at ${better}`);
  return [...missing, { id: "o382", text }];
}

/** What IBKR says of an order in an instrument for which the user has no market data. */
export const NO_DATA =
  "You are submitting an order without market data. We strongly recommend against this as it may result in erroneous and " +
  "unexpected trades.\nAre you sure you want to submit this order?";

function sizeMessages(ticket: Ticket, context: OrderContext, before: SimOrder | undefined): readonly OrderMessage[] {
  const { market, instrument, now } = context;
  const messages: OrderMessage[] = [];
  if (before !== undefined && ticket.quantity.greaterThan(before.quantity.times(SIZE_CHANGE_LIMIT))) {
    const change = grouped(ticket.quantity.minus(before.quantity));
    messages.push({
      id: "o10138",
      text: ask(ticket, context, `size modification exceeds the size modification limit: it grows by ${change}`),
    });
  }
  if (instrument.secType !== "CASH" && ticket.quantity.greaterThan(SIZE_LIMIT))
    messages.push({ id: "o383", text: ask(ticket, context, `size exceeds \nthe Size Limit of ${grouped(SIZE_LIMIT)}`) });
  const amount = amountOf(instrument, expectedPrice(ticket, market, now), ticket.quantity);
  if (!amount.times(market.rate(instrument.currency, "USD", now)).greaterThan(VALUE_LIMIT)) return messages;
  const estimate = `value estimate of ${grouped(amount, 2)} ${instrument.currency} exceeds \nthe Total Value Limit of ${grouped(VALUE_LIMIT)} USD`;
  return [...messages, { id: "o451", text: ask(ticket, context, estimate) }];
}

function kindMessages(ticket: Ticket, context: OrderContext): readonly OrderMessage[] {
  const { market, instrument, now } = context;
  const open = market.isOpen(instrument.conid, now, ticket.outsideRth);
  if (ticket.kind === "MKT") {
    const risky = !open || instrument.halted || instrument.availability === "none";
    return risky ? [{ id: "o10151", text: MARKET_RISK }] : [];
  }
  if (!STOPPING_KINDS.has(ticket.kind)) return [];
  const reached = stopReached(ticket, { open: true, quote: () => market.quote(instrument.conid, now), range: undefined });
  const stop = { id: "o10152", text: STOP_RISK };
  if (ticket.trail !== undefined) return [stop];
  return reached
    ? [
        {
          id: "o403",
          text: ask(ticket, context, "has a stop price that is reached already. This order will most likely trigger and fill immediately"),
        },
        stop,
      ]
    : [stop];
}

/** Kinds that become orders at a price which is worse than the present one. */
const STOPPING_KINDS: ReadonlySet<OrderKind> = new Set(["STP", "STOP_LIMIT", "TRAIL", "TRAILLMT"]);

function cashMessages({ cashQuantity }: Ticket): readonly OrderMessage[] {
  return cashQuantity === undefined ? [] : [{ id: "o10164", text: CASH_DETAILS }];
}

const CASH_DETAILS =
  "Traders are responsible for understanding cash quantity details, which are provided on a best efforts basis only. The order is " +
  "placed for the whole shares or units that the amount buys.\nAre you sure you want to submit this order?";

/** IBKR's warning about a market order while the market is closed, halted or not shown. */
export const MARKET_RISK =
  "You are about to submit a market order. It may be executed at a price far from the last one, since the market for this " +
  "instrument is closed, halted or not shown to you.\nAre you sure you want to submit this order?";
const STOP_RISK =
  "You are about to submit a stop order. Please be aware of the various stop order types available and the risks associated " +
  "with each one.\nAre you sure you want to submit this order?";

function capMessages(ticket: Ticket, context: OrderContext): readonly OrderMessage[] {
  if (!aggression(ticket, context).greaterThan(PERCENTAGE_LIMIT)) return [];
  return [
    {
      id: "o10153",
      text:
        "To avoid trading at a price that is not consistent with a fair and orderly market, IB may set a cap (for a buy order) or a " +
        "floor (for a sell order) on the price of this order.",
    },
  ];
}

/** The ticket as it is placed once its questions are answered: prices on the tick, on the cautious side of what was sent. */
export function withPricesOnTick(ticket: Ticket, { instrument }: Pick<OrderContext, "instrument">): Ticket {
  const rounded = (price: Decimal | undefined): Decimal | undefined =>
    price === undefined ? undefined : onTick(price, tickOf(instrument, price), ticket);
  return { ...ticket, limitPrice: rounded(ticket.limitPrice), stopPrice: rounded(ticket.stopPrice) };
}

function onTick(price: Decimal, tick: Decimal, { side }: Ticket): Decimal {
  const down = price.roundToStep(tick, side === "BUY" ? "down" : "up");
  return down.isPositive() ? down : tick;
}
