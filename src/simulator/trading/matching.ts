import { Decimal } from "../../lib/decimal.ts";
import type { SimQuote, TradedRange } from "../market/market.ts";
import type { OrderKind, SimOrder } from "./records.ts";

/** The market as an order sees it at the end of a stretch of time. */
export interface MarketLook {
  /** True when the order may fill at that instant. */
  readonly open: boolean;
  /** The quote at that instant; asked for only where it matters. */
  quote(): SimQuote;
  /** What traded in the stretch; undefined when nothing could. */
  readonly range: TradedRange | undefined;
}

/** What becomes of an order in a stretch of time. */
export interface Match {
  readonly triggered: boolean;
  readonly arrived: boolean;
  /** Price of a fill in the quoting unit; undefined when there is none. */
  readonly price: Decimal | undefined;
  /** True when the fill takes what is shown in the book besides what traded. */
  readonly takesShown: boolean;
}

/**
 * Decides whether an order triggers and at which price it would fill. An order that reaches an open market takes the touch
 * (ask for a buy, bid for a sale) when its limit allows; one that waits there fills at its limit when the market trades
 * through it, or better when all trades were better. Stops and if-touched orders trigger on trades.
 */
export function matchOrder(order: SimOrder, look: MarketLook): Match {
  if (order.kind === "MIDPRICE") return matchMidpoint(order, look);
  const stop = TRIGGERED_KINDS.has(order.kind);
  const triggered = !stop || order.triggered || stopReached(order, look);
  if (!triggered) return { triggered, arrived: false, price: undefined, takesShown: false };
  const arriving = !order.arrived;
  if (arriving && !look.open) return { triggered, arrived: false, price: undefined, takesShown: false };
  const justTriggered = stop && !order.triggered;
  // What traded before the trigger can't fill a stop limit order, so it has only the touch.
  const price = fillPrice(order, justTriggered ? { ...look, range: undefined } : look, arriving);
  return { triggered, arrived: true, price, takesShown: arriving };
}

/** True when the last price has reached the stop, now or at some time in the stretch. */
export function stopReached({ side, kind, stopPrice }: Pick<SimOrder, "side" | "kind" | "stopPrice">, look: MarketLook): boolean {
  if (stopPrice === undefined) return false;
  // An order that waits to be touched wants a better price, a stop a worse one.
  const rising = TOUCHED_KINDS.has(kind) ? side === "SELL" : side === "BUY";
  // Where nothing traded, the last price counts that an order finds when it comes.
  const last = look.range === undefined && look.open ? look.quote().last : undefined;
  const price = (rising ? look.range?.high : look.range?.low) ?? last;
  return price !== undefined && (rising ? !price.lessThan(stopPrice) : !price.greaterThan(stopPrice));
}

/** Kinds that wait for a price before they are orders. */
const TRIGGERED_KINDS: ReadonlySet<OrderKind> = new Set(["STP", "STOP_LIMIT", "TRAIL", "TRAILLMT", "MIT", "LIT"]);
/** Kinds that wait for a better price. */
const TOUCHED_KINDS: ReadonlySet<OrderKind> = new Set(["MIT", "LIT"]);
const TWO = Decimal.fromInteger(2);

/** An order between bid and ask: it fills there when somebody trades, unless that is beyond its cap. */
function matchMidpoint(order: SimOrder, look: MarketLook): Match {
  const nothing = { triggered: true, arrived: order.arrived || look.open, price: undefined, takesShown: false };
  if (!look.open || look.range === undefined) return nothing;
  const { bid, ask } = look.quote();
  const middle = bid.plus(ask).dividedBy(TWO);
  const beyond = order.limitPrice !== undefined && worse(order, middle, order.limitPrice);
  return beyond ? nothing : { ...nothing, price: middle };
}

function fillPrice(order: SimOrder, look: MarketLook, arriving: boolean): Decimal | undefined {
  const limit = order.limitPrice;
  if (limit === undefined) return look.open ? touchOf(order, look) : undefined;
  const touch = arriving ? touchOf(order, look) : undefined;
  if (touch !== undefined && !worse(order, touch, limit)) return touch;
  if (look.range === undefined) return undefined;
  const best = order.side === "BUY" ? look.range.low : look.range.high;
  const worst = order.side === "BUY" ? look.range.high : look.range.low;
  if (worse(order, best, limit)) return undefined;
  return worse(order, worst, limit) ? limit : worst;
}

function touchOf({ side }: SimOrder, look: MarketLook): Decimal {
  const quote = look.quote();
  return side === "BUY" ? quote.ask : quote.bid;
}

/** True when `price` is worse than `limit` for the order's owner. */
function worse(order: SimOrder, price: Decimal, limit: Decimal): boolean {
  return order.side === "BUY" ? price.greaterThan(limit) : price.lessThan(limit);
}
