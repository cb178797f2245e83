import { Decimal } from "../../lib/decimal.ts";
import type { Market, SimInstrument } from "../market/market.ts";
import { amountOf, decimalsOf, priceText, unitValueOf } from "./amounts.ts";
import { isAuctionOrder } from "./auction.ts";
import { commissionOf } from "./commission.ts";
import { BORROWED_CURRENCY, marginOf } from "./margin.ts";
import { grouped } from "./number-text.ts";
import type { OrderKind, SimOrder, Ticket, Tif } from "./records.ts";
import { tradingDay } from "./trading-day.ts";
import { marginInput } from "./valuation.ts";
import type { AccountValuation } from "./valuation.ts";

/** Decimals that IBKR allows in a fraction of a share. */
const FRACTION_DECIMALS = 4;
/** A limit price further than this share from the market isn't asked about but refused. */
const REFUSED_DISTANCE = Decimal.parse("0.5");

/** What an order is judged by. */
export interface OrderContext {
  readonly market: Market;
  readonly instrument: SimInstrument;
  readonly valuation: AccountValuation;
  /** The account's other working orders. */
  readonly working: readonly SimOrder[];
  readonly now: number;
}

/** Answers why an order can't be taken, in IBKR's words where they are known, or undefined when it can. */
export function refusalOf(ticket: Ticket, context: OrderContext): string | undefined {
  return (
    contractRefusal(context) ??
    attributeRefusal(ticket, context) ??
    timeRefusal(ticket, context) ??
    limitRefusal(ticket, context) ??
    fundsRefusal(ticket, context)
  );
}

function contractRefusal({ instrument, now }: OrderContext): string | undefined {
  if (instrument.secType === "IND") return `No trading permissions. ${instrument.symbol} is an index and can not be traded.`;
  if (instrument.secType === "FUT") return "No trading permissions. Futures can not be traded in this account.";
  const expired = instrument.expiry !== undefined && instrument.expiry < tradingDay(now).date;
  return expired ? "This contract has expired and can not be traded." : undefined;
}

function attributeRefusal(ticket: Ticket, { instrument }: OrderContext): string | undefined {
  const { quantity, outsideRth } = ticket;
  if (!quantity.isPositive()) return "Order quantity must be greater than zero.";
  const fraction = !quantity.isInteger();
  if (fraction && !instrument.fractionsAllowed) return "Fractional quantities can not be traded in this instrument.";
  if (fraction && decimalsOf(quantity) > FRACTION_DECIMALS) return `Order quantity can have at most ${FRACTION_DECIMALS} decimals.`;
  if (!quantity.isMultipleOf(instrument.sizeIncrement))
    return `The size, ${quantity.toString()}, does not conform to the minimum variation of ${instrument.sizeIncrement.toString()} for this contract.`;
  if (outsideRth && (fraction || !EXTENDED_KINDS.has(ticket.kind) || ticket.tif === "OPG"))
    return "invalid order attribute : Outside Regular Trading Hours";
  if (fraction && (isAuctionOrder(ticket) || ticket.kind === "MIDPRICE"))
    return "Fractional quantities can not be traded with this order type.";
  return undefined;
}

/** Kinds that may fill before and after regular hours: those with a limit that isn't an auction's. */
const EXTENDED_KINDS: ReadonlySet<OrderKind> = new Set(["LMT", "STOP_LIMIT", "TRAILLMT", "LIT"]);

/** Times in force that an order type goes with; the others go with all but OPG. */
const TIFS_OF_KIND: Partial<Record<OrderKind, readonly Tif[]>> = {
  MKT: ["DAY", "GTC", "IOC", "OPG", "GTD"],
  LMT: ["DAY", "GTC", "IOC", "OPG", "GTD"],
  MOC: ["DAY"],
  LOC: ["DAY"],
  MIDPRICE: ["DAY"],
};
const USUAL_TIFS: readonly Tif[] = ["DAY", "GTC", "IOC", "GTD"];

function timeRefusal({ kind, tif, goodTill }: Ticket, { instrument, now }: OrderContext): string | undefined {
  if (!(TIFS_OF_KIND[kind] ?? USUAL_TIFS).includes(tif)) return `${tif} time in force is not supported for this order`;
  if (tif === "GTD" && (goodTill === undefined || goodTill <= now)) return "Invalid good till date: it must be a date in the future.";
  const american = instrument.secType === "STK" && instrument.countryCode === "US";
  if (kind === "MIDPRICE" && !american) return "Order type MIDPRICE is not supported for this instrument.";
  const auction = tif === "OPG" || kind === "MOC" || kind === "LOC";
  return auction && instrument.secType !== "STK" ? "Auction orders are not supported for this instrument." : undefined;
}

function limitRefusal(ticket: Ticket, { market, instrument, now }: OrderContext): string | undefined {
  const reference = referencePrice(ticket, market, now);
  if (ticket.limitPrice === undefined) return undefined;
  const distance = ticket.limitPrice.minus(reference).abs();
  if (!distance.greaterThan(reference.times(REFUSED_DISTANCE))) return undefined;
  return (
    "We cannot accept an order at the limit price you selected. Please submit your order using a limit price that is closer to " +
    `the current market price of ${priceText(instrument, reference)}. A price this far from the market is most likely a mistake.`
  );
}

/** The price that a limit is compared with: the market's, or for a stop limit order the stop's. */
export function referencePrice(ticket: Ticket, market: Market, now: number): Decimal {
  return ticket.stopPrice ?? market.quote(ticket.conid, now).last;
}

function fundsRefusal(ticket: Ticket, context: OrderContext): string | undefined {
  const { valuation } = context;
  const needed = fundsNeeded(ticket, context);
  const reserved = reservedFunds(context);
  if (needed.isZero() || !needed.plus(reserved).greaterThan(valuation.availableFunds)) return undefined;
  const currency = valuation.account.baseCurrency;
  const amount = (value: Decimal): string => `${grouped(value, 2)} ${currency}`;
  return (
    "YOUR ORDER IS NOT ACCEPTED. Your available funds are insufficient for this order: " +
    `available ${amount(valuation.availableFunds.minus(reserved))}, required ${amount(needed)}.`
  );
}

/** Funds that the account's working orders may come to need, in the base currency. */
function reservedFunds(context: OrderContext): Decimal {
  return Decimal.sum(
    context.working.flatMap((order) => {
      const instrument = context.market.instrument(order.conid);
      const remaining = { ...order, quantity: order.quantity.minus(order.filled) };
      return instrument === undefined ? [] : [fundsNeeded(remaining, { ...context, instrument, working: earlier(context.working, order) })];
    }),
  );
}

function earlier(orders: readonly SimOrder[], order: SimOrder): readonly SimOrder[] {
  return orders.filter(({ id }) => id < order.id);
}

/**
 * Funds that an order ties up when it fills, in the account's base currency: the margin by which its position needs more
 * than before, what a bought option costs, and the commission. Nothing for what closes a position. The account's other
 * working orders of the same side count as filled before it.
 */
export function fundsNeeded(ticket: Ticket, { market, instrument, valuation, working, now }: OrderContext): Decimal {
  // A child closes what its parent will have opened.
  if (ticket.parentOrderId !== undefined) return Decimal.zero;
  const signed = (quantity: Decimal): Decimal => (ticket.side === "BUY" ? quantity : quantity.negated());
  const held = valuation.holdings.find(({ position }) => position.conid === ticket.conid)?.position.quantity ?? Decimal.zero;
  const ahead = working.filter((order) => order.conid === ticket.conid && order.side === ticket.side);
  const before = held.plus(signed(Decimal.sum(ahead.map((order) => order.quantity.minus(order.filled)))));
  const after = before.plus(signed(ticket.quantity));
  const price = expectedPrice(ticket, market, now);
  const rate = market.rate(instrument.currency, valuation.account.baseCurrency, now);
  const amount = amountOf(instrument, price, ticket.quantity);
  if (instrument.secType === "CASH") return amount.times(BORROWED_CURRENCY).times(rate);
  const input = { ...marginInput(market, instrument, now), price };
  const more = marginOf(input, after).minus(marginOf(input, before));
  const bought = instrument.secType === "OPT" ? Decimal.max(Decimal.zero, after).minus(Decimal.max(Decimal.zero, before)) : Decimal.zero;
  const premium = unitValueOf(instrument, price).times(bought);
  const needed = Decimal.max(Decimal.zero, more).plus(Decimal.max(Decimal.zero, premium));
  if (needed.isZero()) return Decimal.zero;
  return needed.plus(commissionOf(instrument, ticket.quantity, amount)).times(rate);
}

/** The price at which an order is expected to fill, in the quoting unit: its limit, its stop, or the touch. */
export function expectedPrice(ticket: Ticket, market: Market, now: number): Decimal {
  const quote = market.quote(ticket.conid, now);
  return ticket.limitPrice ?? ticket.stopPrice ?? (ticket.side === "BUY" ? quote.ask : quote.bid);
}
