import type { Order, OrderStatusName } from "../broker/order.ts";
import type { Clock } from "../lib/clock.ts";
import { Decimal } from "../lib/decimal.ts";
import { LIVE_ORDER_FIELDS, type LiveOrder, liveOrdersReply, statusOf } from "./endpoints/orders.ts";
import {
  type RawRow,
  type StreamFrame,
  SUBSCRIBE_ORDERS,
  SUBSCRIBE_TRADES,
  UNSUBSCRIBE_ORDERS,
  UNSUBSCRIBE_TRADES,
} from "./endpoints/stream.ts";
import { accountOf, type Execution, mergeExecution, tradesReply } from "./endpoints/trades.ts";
import type { Stream } from "./stream.ts";
import type { StreamFeed } from "./stream-feed.ts";

/**
 * How long a state is given without being told or confirmed anew. IBKR is known to mute the stream of orders without a word, so
 * that silence about an order is no proof that nothing happened to it.
 */
export const TRUSTED_MS = 60_000;
/** IBKR's own lists lag behind its stream by seconds. */
const LIST_LAG_MS = 5000;
/** After something was sent, IBKR takes a moment to tell what it did to the order. */
const SETTLING_MS = 3000;
/** Nobody asked for orders for so long: the subscriptions are ended. */
const UNUSED_MS = 600_000;
/** More than an account's orders of a day. Beyond them the stream's rows are dropped, and IBKR is asked. */
const MAX_ORDERS = 2000;
/** The executions of a busy day; the oldest go first. */
const MAX_TRADES = 5000;

interface Known {
  readonly raw: RawRow;
  readonly toldAt: number;
  /** When IBKR, asked, said the same. */
  readonly confirmedAt: number;
}

/**
 * Orders and executions as the stream tells them. It is asked for states only: that an order does not stand here says nothing,
 * and nobody may conclude from it that there is none.
 */
export class LiveOrders implements StreamFeed {
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #orders = new Map<string, Known>();
  readonly #executions = new Map<string, Execution>();
  #isSubscribed = false;
  #isTold = false;
  /** Rows were dropped: what this subscription told can't be relied on any more. */
  #isOverfull = false;
  #usedAt = -Infinity;

  constructor({ stream, clock }: { readonly stream: Stream; readonly clock: Clock }) {
    this.#stream = stream;
    this.#clock = clock;
    stream.attach(this);
  }

  get subscriptions(): number {
    return this.#isSubscribed ? 2 : 0;
  }

  /** True while orders are told as they change: the first rows have come, and the stream lives. */
  get isCurrent(): boolean {
    return this.#isTold && !this.#isOverfull && this.#stream.isLive;
  }

  /** Tells that orders are asked for: they are subscribed, and the stream opens if it isn't open. */
  use(): void {
    this.#usedAt = this.#clock.now();
    this.#stream.need();
    if (!this.#isSubscribed && this.#stream.isLive) this.#subscribe();
  }

  /**
   * An order's row while its state can be trusted; undefined otherwise, which means that IBKR has to be asked. `sentAt` is when we
   * last sent anything about orders of the account.
   */
  order(accountId: string, orderId: string, sentAt: number): LiveOrder | undefined {
    const known = this.#orders.get(orderId);
    const now = this.#clock.now();
    if (!this.isCurrent || known === undefined || now - Math.max(known.toldAt, known.confirmedAt) >= TRUSTED_MS) return undefined;
    if (known.toldAt <= sentAt && now - sentAt < SETTLING_MS) return undefined;
    const row = wholeRow(known.raw, accountId);
    return row === undefined || this.#lags(row, orderId) ? undefined : row;
  }

  /** The account's rows that were told about or after the time of a list: they are newer than its own. */
  ordersSince(accountId: string, listedAt: number): readonly LiveOrder[] {
    if (!this.isCurrent) return [];
    return [...this.#orders].flatMap(([orderId, { raw, toldAt }]) => {
      const row = toldAt >= listedAt - LIST_LAG_MS ? wholeRow(raw, accountId) : undefined;
      return row === undefined || this.#lags(row, orderId) ? [] : [row];
    });
  }

  /** All rows that the stream told of the account, however long ago. */
  orders(accountId: string): readonly LiveOrder[] {
    return [...this.#orders.values()].flatMap(({ raw }) => wholeRow(raw, accountId) ?? []);
  }

  /** The account's executions, oldest news first. They stay when the stream is lost: what was executed stays so. */
  executions(accountId: string): readonly Execution[] {
    return [...this.#executions.values()].filter(({ row }) => accountOf(row) === accountId);
  }

  /** Takes in what IBKR answered when it was asked: what agrees is confirmed, what doesn't and isn't newer is dropped. */
  confirm(orders: readonly Order[], answeredAt: number): void {
    for (const order of orders) {
      const known = this.#orders.get(order.orderId);
      if (known === undefined) continue;
      const row = wholeRow(known.raw, order.accountId);
      const agrees = row !== undefined && statusOf(row.status) === order.status && isSame(row.filledQuantity, order.filledQuantity);
      if (agrees) this.#orders.set(order.orderId, { ...known, confirmedAt: answeredAt });
      else if (known.toldAt < answeredAt - LIST_LAG_MS || isFurther(order, row)) this.#orders.delete(order.orderId);
    }
  }

  opened(): void {
    if (this.#clock.now() - this.#usedAt < UNUSED_MS) this.#subscribe();
  }

  heard(frame: StreamFrame): void {
    if (!this.#isSubscribed) return;
    if (frame.kind === "orders") {
      for (const row of frame.rows) this.#take(row);
      this.#isTold = true;
    } else if (frame.kind === "trades") this.#takeExecutions(frame.rows);
  }

  /** Changes of orders are missed while there is no stream. The next one tells every state. */
  lost(): void {
    this.#isSubscribed = false;
    this.#isTold = false;
    this.#isOverfull = false;
    this.#orders.clear();
  }

  tick(now: number): void {
    if (!this.#isSubscribed || now - this.#usedAt < UNUSED_MS) return;
    this.#stream.send(UNSUBSCRIBE_ORDERS);
    this.#stream.send(UNSUBSCRIBE_TRADES);
    this.lost();
  }

  #subscribe(): void {
    this.#isSubscribed = true;
    this.#stream.send(SUBSCRIBE_ORDERS);
    this.#stream.send(SUBSCRIBE_TRADES);
  }

  #take(row: RawRow): void {
    const orderId = textOf(row["orderId"]);
    if (orderId === undefined) return;
    const known = this.#orders.get(orderId);
    if (known === undefined && this.#orders.size >= MAX_ORDERS) {
      this.#orders.clear();
      this.#isOverfull = true;
    }
    const fields = Object.fromEntries(Object.entries(row).filter(([name]) => FIELDS.has(name)));
    const toldAt = this.#clock.now();
    // What is known of one account's order never becomes part of another's.
    const isSameOrder = ["account", "acct"].every((name) => fields[name] === undefined || fields[name] === known?.raw[name]);
    this.#orders.set(orderId, { raw: isSameOrder ? { ...known?.raw, ...fields } : fields, toldAt, confirmedAt: toldAt });
  }

  #takeExecutions(rows: readonly RawRow[]): void {
    const heardAt = this.#clock.now();
    for (const row of tradesReply.parse(rows)) {
      if (row.execution_id === undefined) continue;
      const merged = mergeExecution(this.#executions.get(row.execution_id), { row, heardAt });
      this.#executions.delete(row.execution_id);
      this.#executions.set(row.execution_id, merged);
      const oldest = this.#executions.size > MAX_TRADES ? this.#executions.keys().next() : undefined;
      if (oldest?.done === false) this.#executions.delete(oldest.value);
    }
  }

  /** True when more of an order was executed than its row says: the row's change is still on its way. */
  #lags(row: LiveOrder, orderId: string): boolean {
    const sizes = [...this.#executions.values()].flatMap(({ row: { order_id, size } }) =>
      order_id === orderId && size !== undefined ? [size] : [],
    );
    return sizes.length > 0 && (row.filledQuantity ?? Decimal.zero).lessThan(Decimal.sum(sizes));
  }
}

const FIELDS: ReadonlySet<string> = new Set(LIVE_ORDER_FIELDS);
/** States that no order leaves. */
const ENDED: ReadonlySet<OrderStatusName> = new Set(["Filled", "Cancelled"]);

/** A row with everything that a state needs, if it is one of this account. */
function wholeRow(raw: RawRow, accountId: string): LiveOrder | undefined {
  const [row] = liveOrdersReply.parse({ orders: [raw] }).orders;
  if (row?.conid === undefined || row.status === undefined || row.side === undefined || row.totalSize === undefined) return undefined;
  return (row.account ?? row.acct) === accountId ? row : undefined;
}

/** True when an order has come further than its row: what was executed or has ended stays so, however new the row is. */
function isFurther({ status, filledQuantity }: Order, row: LiveOrder | undefined): boolean {
  if (row === undefined) return false;
  const filled = filledQuantity ?? Decimal.zero;
  return filled.greaterThan(row.filledQuantity ?? Decimal.zero) || (ENDED.has(status) && !ENDED.has(statusOf(row.status)));
}

function isSame(one: Decimal | undefined, other: Decimal | undefined): boolean {
  return (one ?? Decimal.zero).equals(other ?? Decimal.zero);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
