import { Decimal } from "../../lib/decimal.ts";
import type { Market, SimInstrument, SimQuote } from "../market/market.ts";
import type { AccountBooks } from "./account-books.ts";
import { amountOf, exchangedCurrencyOf, tickOf } from "./amounts.ts";
import { auctionPrice, isAuctionOrder } from "./auction.ts";
import { commissionOf } from "./commission.ts";
import { matchOrder } from "./matching.ts";
import { afterFillOfGroup, releasedChild } from "./order-group.ts";
import { settleExpiredOptions } from "./option-expiry.ts";
import type { SimOrder } from "./records.ts";
import { followMarket } from "./trailing.ts";
import { tradingDay } from "./trading-day.ts";
import type { TradingStore } from "./trading-store.ts";

/** Time is let pass in stretches of this length, so that what happens first counts first. */
const STRETCH_MS = 60_000;
/** Most stretches in one go: a long pause (a stopped simulator) is cut into as many equal ones. */
const MAX_STRETCHES = 500;
/** How often the time reached is written while orders work; after a crash at most this much is looked at again. */
const SAVE_TIME_EVERY_MS = 10_000;

export interface ExchangeDeps {
  readonly market: Market;
  readonly store: TradingStore;
  readonly books: AccountBooks;
  /** Epoch ms. */
  readonly now: number;
  /** How long a cancellation is under way; until then a fill can still win. */
  readonly cancelDelayMs: number;
}

/** Holds the working orders and lets them trigger, fill, expire and be cancelled as time passes. */
export class Exchange {
  readonly #deps: ExchangeDeps;
  readonly #working = new Map<number, SimOrder>();
  #reached: number;
  #saved: number;
  /** When options were last looked at for expiry: once a trading day is enough. */
  #settledUntil = 0;

  constructor(deps: ExchangeDeps) {
    this.#deps = deps;
    for (const order of deps.store.workingOrders()) this.#working.set(order.id, order);
    this.#reached = deps.store.counter("advanced_to") ?? deps.now;
    this.#saved = this.#reached;
  }

  /** Orders that still work, the oldest first. */
  get working(): readonly SimOrder[] {
    return [...this.#working.values()];
  }

  /** Takes a new order, or the new form of a working one. */
  put(order: SimOrder): void {
    this.#deps.store.saveOrder(order);
    if (order.state === "working") this.#working.set(order.id, order);
    else this.#working.delete(order.id);
  }

  /** Lets time pass up to `now`, all or nothing for each stretch. An earlier `now` than before changes nothing. */
  advance(now: number): void {
    const gap = Math.max(0, now - this.#reached);
    const stretches = this.#working.size === 0 ? 1 : Math.min(Math.max(1, Math.ceil(gap / STRETCH_MS)), MAX_STRETCHES);
    const start = this.#reached;
    for (let index = 1; index <= stretches; index += 1) {
      const to = index === stretches ? start + gap : start + Math.floor((gap * index) / stretches);
      this.#pass(this.#reached, to);
      this.#reached = to;
    }
    if (this.#working.size > 0 && this.#reached - this.#saved >= SAVE_TIME_EVERY_MS) this.save();
  }

  /** Writes how far time has passed. */
  save(): void {
    this.#deps.store.setCounter("advanced_to", this.#reached);
    this.#saved = this.#reached;
  }

  #pass(from: number, to: number): void {
    const { books, store, market } = this.#deps;
    books.rollTo(to);
    const settled = to < this.#settledUntil ? [] : settleExpiredOptions(books, market, to);
    if (to >= this.#settledUntil) this.#settledUntil = tradingDay(to).endsAt;
    if (this.#working.size === 0 && settled.length === 0) return;
    const before = this.working;
    try {
      store.atomically(() => {
        for (const execution of settled) books.record(execution);
        const taken = new Map<number, Decimal>();
        // An earlier order of this stretch may have ended a later one of its group.
        for (const { id } of before) {
          const order = this.#working.get(id);
          if (order !== undefined) this.#passOrder(order, { from, to, taken });
        }
        if (taken.size > 0) store.setCounter("advanced_to", to);
      });
    } catch (error) {
      // The database has kept nothing of this stretch, so the memory must not either.
      for (const order of before) this.#working.set(order.id, order);
      books.reload();
      books.rollTo(to);
      throw error;
    }
  }

  #passOrder(waiting: SimOrder, { from, to, taken }: Stretch): void {
    const order = this.#released(waiting, to);
    if (order.state !== "working" || order.held === true) {
      const ended = order.state === "working" ? this.#ended(order, this.#deps.market.instrument(order.conid), to) : order;
      if (ended !== waiting) this.put(ended);
      return;
    }
    const until = Math.min(to, order.expiresAt ?? to);
    const since = Math.max(from, order.activeFrom);
    const instrument = this.#deps.market.instrument(order.conid);
    const looked = instrument === undefined || until < since ? order : this.#meet(order, { instrument, from: since, to: until, taken });
    const ended = looked.state === "working" ? this.#ended(looked, instrument, to) : looked;
    if (ended !== waiting) this.put(ended);
    if (looked.filled.greaterThan(order.filled)) this.#endGroup(looked, looked.filled.minus(order.filled), to);
  }

  /** An order that waits for its parent, as the parent lets it be. */
  #released(order: SimOrder, to: number): SimOrder {
    if (order.held !== true || order.parentOrderId === undefined) return order;
    return releasedChild(order, this.#deps.store.order(order.parentOrderId), to) ?? order;
  }

  /** Ends or shrinks the other orders of a group of which one has filled. */
  #endGroup(filled: SimOrder, quantity: Decimal, at: number): void {
    if (filled.group === undefined) return;
    for (const other of this.working) {
      if (other.group === filled.group && other.id !== filled.id && other.accountId === filled.accountId)
        this.put(afterFillOfGroup(other, quantity, at));
    }
  }

  /** Lets the order take part in its auction, or meet the market of one stretch. */
  #meet(order: SimOrder, stretch: Stretch & { instrument: SimInstrument }): SimOrder {
    if (!isAuctionOrder(order)) return this.#look(order, stretch);
    const price = order.expiresAt === undefined || stretch.to < order.expiresAt ? undefined : auctionPrice(order, this.#deps.market);
    if (price === undefined) return order;
    const quantity = order.quantity.minus(order.filled);
    return this.#fill({ ...order, arrived: true }, { instrument: stretch.instrument, price, quantity, at: stretch.to });
  }

  /** Lets the order meet the market of one stretch. */
  #look(order: SimOrder, { instrument, from, to, taken }: Stretch & { instrument: SimInstrument }): SimOrder {
    const { market } = this.#deps;
    const quote = (): SimQuote => market.quote(order.conid, to);
    const open = !instrument.halted && market.isOpen(order.conid, to, order.outsideRth);
    const range = instrument.halted || to <= from ? undefined : market.traded(order.conid, from + 1, to, order.outsideRth);
    const match = matchOrder(order, { open, quote, range });
    const tick = tickOf(instrument, order.stopPrice ?? Decimal.one);
    const followed = match.triggered ? order : followMarket(order, { open, quote, range }, tick);
    const seen =
      order.triggered === match.triggered && order.arrived === (order.arrived || match.arrived)
        ? followed
        : { ...followed, ...flags(order, match), updatedAt: to };
    if (match.price === undefined) return seen;
    const used = taken.get(order.conid) ?? Decimal.zero;
    const shown = match.takesShown ? shownSize(order, quote()) : Decimal.zero;
    const available = shown.plus(range?.volume ?? Decimal.zero).minus(used);
    const remaining = order.quantity.minus(order.filled);
    const quantity = available.lessThan(remaining) ? available.roundToStep(instrument.sizeIncrement, "down") : remaining;
    if (!quantity.isPositive()) return seen;
    taken.set(order.conid, used.plus(quantity));
    return this.#fill(seen, { instrument, price: match.price, quantity, at: to });
  }

  #fill(order: SimOrder, { instrument, price, quantity, at }: FillInput): SimOrder {
    const filled = order.filled.plus(quantity);
    const filledValue = order.filledValue.plus(price.times(quantity));
    const commission = commissionOf(instrument, filled, amountOf(instrument, filledValue, Decimal.one));
    this.#deps.books.record({
      accountId: order.accountId,
      orderId: order.id,
      clientOrderId: order.clientOrderId,
      conid: order.conid,
      side: order.side,
      quantity,
      price,
      amount: amountOf(instrument, price, quantity),
      commission: commission.minus(order.commission),
      currency: instrument.currency,
      exchangedCurrency: exchangedCurrencyOf(instrument),
      exchange: venueOf(instrument),
      at,
    });
    const state = filled.equals(order.quantity) ? "filled" : "working";
    return { ...order, filled, filledValue, commission, state, updatedAt: at };
  }

  /** Ends an order whose time is over; what has filled stays filled. */
  #ended(order: SimOrder, instrument: SimInstrument | undefined, to: number): SimOrder {
    const contractGone = instrument === undefined || (instrument.expiry !== undefined && instrument.expiry < tradingDay(to).date);
    const expired = order.expiresAt !== undefined && order.expiresAt <= to;
    const cancelled = order.cancelRequestedAt !== undefined && order.cancelRequestedAt + this.#deps.cancelDelayMs <= to;
    // Immediate or cancel: what the first look did not fill is gone.
    if (!expired && !cancelled && !contractGone && order.tif !== "IOC") return order;
    return { ...order, state: "cancelled", updatedAt: expired && order.expiresAt !== undefined ? order.expiresAt : to };
  }
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Quantity by conid that earlier orders have taken of what traded in this stretch. */
  readonly taken: Map<number, Decimal>;
}

interface FillInput {
  readonly instrument: SimInstrument;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly at: number;
}

function flags(order: SimOrder, match: { triggered: boolean; arrived: boolean }): Pick<SimOrder, "triggered" | "arrived"> {
  return { triggered: match.triggered, arrived: order.arrived || match.arrived };
}

function shownSize(order: SimOrder, quote: SimQuote): Decimal {
  return order.side === "BUY" ? quote.askSize : quote.bidSize;
}

/** The market place that an execution names. */
export function venueOf(instrument: SimInstrument): string {
  if (instrument.secType === "CASH") return "IDEALPRO";
  return instrument.listingExchange === "NASDAQ" ? "ISLAND" : instrument.listingExchange;
}
