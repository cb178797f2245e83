import { Decimal } from "../../lib/decimal.ts";
import type { Market, SimInstrument } from "../market/market.ts";
import type { AccountBooks } from "./account-books.ts";
import { currencyPriceOf } from "./amounts.ts";
import type { Position } from "./account-book.ts";
import type { Execution } from "./records.ts";
import { tradingDay } from "./trading-day.ts";

/**
 * Lists the settlements that are due: an option whose expiry lies before the trading day of `at` is closed for cash at
 * what it is worth against the underlying at the end of its last day, without a commission.
 */
export function settleExpiredOptions(books: AccountBooks, market: Market, at: number): readonly Omit<Execution, "executionId">[] {
  const today = tradingDay(at).date;
  return [...books.all()].flatMap(([accountId, book]) =>
    book.positions.flatMap((position) => {
      const instrument = market.instrument(position.conid);
      if (position.quantity.isZero() || instrument?.expiry === undefined || instrument.expiry >= today) return [];
      return [settlement({ accountId, position, instrument, market, at, settledAt: endOfDay(instrument.expiry) })];
    }),
  );
}

interface SettlementInput {
  readonly accountId: string;
  readonly position: Position;
  readonly instrument: SimInstrument;
  readonly market: Market;
  readonly at: number;
  /** The instant whose price of the underlying counts. */
  readonly settledAt: number;
}

function settlement({ accountId, position, instrument, market, at, settledAt }: SettlementInput): Omit<Execution, "executionId"> {
  const quantity = position.quantity.abs();
  const price = intrinsicValue(instrument, market, settledAt);
  return {
    accountId,
    orderId: undefined,
    clientOrderId: undefined,
    conid: position.conid,
    side: position.quantity.isPositive() ? "SELL" : "BUY",
    quantity,
    price,
    amount: price.times(instrument.multiplier).times(quantity),
    commission: Decimal.zero,
    currency: instrument.currency,
    exchangedCurrency: undefined,
    exchange: instrument.listingExchange,
    at,
  };
}

/** The end of a trading day given as `YYYYMMDD`. */
function endOfDay(date: string): number {
  const evening = Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6, 8)), 17);
  return tradingDay(evening).endsAt;
}

function intrinsicValue(instrument: SimInstrument, market: Market, at: number): Decimal {
  const underlying = instrument.underlyingConid === undefined ? undefined : market.instrument(instrument.underlyingConid);
  if (underlying === undefined || instrument.strike === undefined) return Decimal.zero;
  const spot = currencyPriceOf(underlying, market.quote(underlying.conid, at).last);
  const gain = instrument.right === "P" ? instrument.strike.minus(spot) : spot.minus(instrument.strike);
  return Decimal.max(Decimal.zero, gain);
}
