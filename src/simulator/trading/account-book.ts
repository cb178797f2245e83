import { Decimal } from "../../lib/decimal.ts";
import type { Deposit, Execution } from "./records.ts";
import { tradingDay } from "./trading-day.ts";
import type { TradingDay } from "./trading-day.ts";

/** Decimals to which the cost of a part of a position is cut; the rest stays in the position, so nothing is lost. */
const COST_DECIMALS = 10;

/** What is held in one instrument. Amounts are in the instrument's currency. */
export interface Position {
  readonly conid: number;
  readonly currency: string;
  /** Negative when short. */
  readonly quantity: Decimal;
  /** What the held quantity cost with commissions; negative for a short position (what it brought in). */
  readonly cost: Decimal;
  /** Profit of closed parts since the account was opened, net of commissions, at average cost. */
  readonly realized: Decimal;
  /** The part of `realized` that belongs to the present trading day. */
  readonly realizedToday: Decimal;
  /** Money that went into the position today, commissions included; negative when more came out. */
  readonly investedToday: Decimal;
  /** Quantity at the beginning of the trading day. */
  readonly quantityAtDayStart: Decimal;
  readonly lastExecutionAt: number;
}

/**
 * One account's cash and positions, computed from its deposits and executions alone, in their order.
 * It always holds that cash = deposits − amounts bought + amounts sold − commissions, and that
 * realized = cost − what was paid + what was received, to the last digit.
 */
export class AccountBook {
  readonly #cash = new Map<string, Decimal>();
  readonly #cashToday = new Map<string, Decimal>();
  readonly #positions = new Map<number, Position>();
  #day: TradingDay | undefined;

  /** What is held, and what was closed today. */
  get positions(): readonly Position[] {
    const dayStart = this.#day?.startsAt ?? 0;
    return [...this.#positions.values()].filter((position) => !position.quantity.isZero() || position.lastExecutionAt >= dayStart);
  }

  /** Cash by currency. */
  get cash(): ReadonlyMap<string, Decimal> {
    return this.#cash;
  }

  /** What today's executions changed, by currency: not settled yet. */
  get unsettledCash(): ReadonlyMap<string, Decimal> {
    return this.#cashToday;
  }

  position(conid: number): Position | undefined {
    return this.#positions.get(conid);
  }

  deposit(deposit: Deposit): void {
    this.#cash.set(deposit.currency, (this.#cash.get(deposit.currency) ?? Decimal.zero).plus(deposit.amount));
  }

  /** Begins a new trading day when `at` lies in one: today's figures start from zero. */
  rollTo(at: number): void {
    if (this.#day !== undefined && at < this.#day.endsAt) return;
    this.#day = tradingDay(at);
    this.#cashToday.clear();
    for (const position of this.#positions.values()) this.#positions.set(position.conid, startDay(position));
  }

  apply(execution: Execution): void {
    this.rollTo(execution.at);
    const bought = execution.side === "BUY";
    const paid = bought ? execution.amount : execution.amount.negated();
    this.#addCash(execution.currency, paid.plus(execution.commission).negated());
    const quantity = bought ? execution.quantity : execution.quantity.negated();
    if (execution.exchangedCurrency !== undefined) this.#addCash(execution.exchangedCurrency, quantity);
    else this.#positions.set(execution.conid, changed(this.#positions.get(execution.conid), { execution, quantity, paid }));
  }

  #addCash(currency: string, amount: Decimal): void {
    this.#cash.set(currency, (this.#cash.get(currency) ?? Decimal.zero).plus(amount));
    this.#cashToday.set(currency, (this.#cashToday.get(currency) ?? Decimal.zero).plus(amount));
  }
}

function startDay(position: Position): Position {
  return { ...position, realizedToday: Decimal.zero, investedToday: Decimal.zero, quantityAtDayStart: position.quantity };
}

interface Change {
  readonly execution: Execution;
  /** Signed. */
  readonly quantity: Decimal;
  /** Signed amount without commission. */
  readonly paid: Decimal;
}

function emptyPosition(execution: Execution): Position {
  const zero = Decimal.zero;
  const { conid, currency, at } = execution;
  return {
    conid,
    currency,
    quantity: zero,
    cost: zero,
    realized: zero,
    realizedToday: zero,
    investedToday: zero,
    quantityAtDayStart: zero,
    lastExecutionAt: at,
  };
}

function changed(before: Position | undefined, { execution, quantity, paid }: Change): Position {
  const position = before ?? emptyPosition(execution);
  const spent = paid.plus(execution.commission);
  const base = {
    ...position,
    quantity: position.quantity.plus(quantity),
    investedToday: position.investedToday.plus(spent),
    lastExecutionAt: execution.at,
  };
  const opposite = position.quantity.isPositive() ? quantity.isNegative() : position.quantity.isNegative() && quantity.isPositive();
  if (!opposite) return { ...base, cost: position.cost.plus(spent) };
  const closed = Decimal.min(quantity.abs(), position.quantity.abs());
  const spentOnClosing = part(spent, closed, quantity.abs());
  const costOfClosed = part(position.cost, closed, position.quantity.abs());
  const profit = spentOnClosing.plus(costOfClosed).negated();
  return {
    ...base,
    cost: position.cost.minus(costOfClosed).plus(spent.minus(spentOnClosing)),
    realized: position.realized.plus(profit),
    realizedToday: position.realizedToday.plus(profit),
  };
}

/** The share of `amount` that belongs to `some` of `all`; the whole amount when that is all. */
function part(amount: Decimal, some: Decimal, all: Decimal): Decimal {
  return some.equals(all) ? amount : amount.times(some).dividedBy(all, COST_DECIMALS);
}
