import { Decimal } from "../../lib/decimal.ts";
import type { Simulation } from "../simulation.ts";
import { AccountBook } from "./account-book.ts";
import { number } from "./number-text.ts";
import type { Execution, SimAccount } from "./records.ts";
import { tradingDay } from "./trading-day.ts";

const DAY_MS = 86_400_000;
const RATE_DECIMALS = 7;

/** What transactions are wanted of. */
export interface TransactionsRequest {
  readonly accounts: readonly SimAccount[];
  readonly conids: readonly number[];
  /** Rates lead to this currency. */
  readonly currency: string;
  readonly days: number;
  readonly now: number;
  readonly simulation: Simulation;
}

interface Booked {
  readonly execution: Execution;
  /** What the execution realised, in its own currency; zero when it only opened. */
  readonly profit: Decimal;
}

/** The purchases and sales of some instruments, newest first, with what each sale realised (reference C.4). */
export function transactionsOf(request: TransactionsRequest): Readonly<Record<string, unknown>> {
  const { currency, days, now } = request;
  const from = now - days * DAY_MS;
  const booked = request.accounts.flatMap((account) => bookedSince(account, from, request));
  const newestFirst = booked.toSorted((a, b) => b.execution.at - a.execution.at);
  const realized = newestFirst.filter(({ profit }) => !profit.isZero());
  const total = Decimal.sum(realized.map(({ execution, profit }) => profit.times(rateOf(execution, request)))).round(2);
  return {
    rc: 0,
    nd: days,
    currency,
    from,
    to: now,
    id: "getTransactions",
    includesRealTime: true,
    rpnl: { data: realized.map((each) => profitRow(each, request)), amt: total.toString() },
    transactions: newestFirst.map((each) => transactionRow(each, request)),
  };
}

function bookedSince(account: SimAccount, from: number, { conids, simulation }: TransactionsRequest): readonly Booked[] {
  const book = new AccountBook();
  const wanted = simulation.trading.history(account.id).executions.filter(({ conid }) => conids.includes(conid));
  const booked = wanted.map((execution) => {
    const before = book.position(execution.conid)?.realized ?? Decimal.zero;
    book.apply(execution);
    return { execution, profit: (book.position(execution.conid)?.realized ?? Decimal.zero).minus(before) };
  });
  return booked.filter(({ execution }) => execution.at >= from);
}

function rateOf({ currency, at }: Execution, request: TransactionsRequest): Decimal {
  return request.simulation.market.rate(currency, request.currency, at);
}

function rateNumber(execution: Execution, request: TransactionsRequest): unknown {
  return execution.currency === request.currency ? 1 : number(rateOf(execution, request).round(RATE_DECIMALS));
}

function profitRow({ execution, profit }: Booked, request: TransactionsRequest): Readonly<Record<string, unknown>> {
  return {
    date: tradingDay(execution.at).date,
    cur: execution.currency,
    fxRate: rateNumber(execution, request),
    side: profit.isNegative() ? "L" : "G",
    acctid: execution.accountId,
    amt: profit.round(2).toString(),
    conid: String(execution.conid),
  };
}

function transactionRow({ execution }: Booked, request: TransactionsRequest): Readonly<Record<string, unknown>> {
  const bought = execution.side === "BUY";
  const { date, startsAt } = tradingDay(execution.at);
  const signed = (value: Decimal, isNegative: boolean): unknown => number(isNegative ? value.negated() : value);
  return {
    date: javaDate(startsAt),
    rawDate: date,
    cur: execution.currency,
    fxRate: rateNumber(execution, request),
    pr: number(execution.price),
    qty: signed(execution.quantity, !bought),
    acctid: execution.accountId,
    amt: signed(execution.amount, bought),
    conid: execution.conid,
    type: bought ? "Buy" : "Sell",
    desc: request.simulation.market.instrument(execution.conid)?.name ?? "",
  };
}

/** `Tue Mar 31 00:00:00 EDT 2026`: midnight in New York. */
function javaDate(midnight: number): string {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: "America/New_York",
    weekday: "short",
    month: "short",
    day: "2-digit",
    year: "numeric",
    timeZoneName: "short",
  });
  const parts = new Map(format.formatToParts(midnight).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? "";
  return `${part("weekday")} ${part("month")} ${part("day")} 00:00:00 ${part("timeZoneName")} ${part("year")}`;
}
