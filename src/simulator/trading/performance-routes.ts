import { isRecord } from "../../lib/json.ts";
import { failure, ok } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import { netAssetValues } from "./net-asset-values.ts";
import type { DayValue } from "./net-asset-values.ts";
import { money } from "./number-text.ts";
import { PERIODS, monthlyReturns, periodValues, returnNumber, startValue } from "./performance.ts";
import type { PeriodValues } from "./performance.ts";
import { profitOf } from "./profit.ts";
import type { SimAccount } from "./records.ts";
import { transactionsOf } from "./transactions.ts";

const ONCE_IN_15_MINUTES = { requests: 1, perMs: 900_000 };
const ONCE_IN_5_SECONDS = { requests: 1, perMs: 5_000 };
const DEFAULT_DAYS = 90;
const MAX_DAYS = 3650;

/** Profit and loss, performance and transactions (reference C.4). */
export const performanceRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/iserver/account/pnl/partitioned",
    tier: "brokerage",
    pacing: ONCE_IN_5_SECONDS,
    primes: true,
    handle: partitionedProfit,
  },
  { method: "POST", path: "/pa/performance", tier: "sso", pacing: ONCE_IN_15_MINUTES, handle: performance },
  { method: "POST", path: "/pa/allperiods", tier: "sso", pacing: ONCE_IN_15_MINUTES, handle: allPeriods },
  { method: "POST", path: "/pa/transactions", tier: "sso", pacing: ONCE_IN_15_MINUTES, handle: transactions },
];

/** Empty at first, unless the socket's `spl` topic has run in this session. */
function partitionedProfit(request: SimRequest, session: Session, { trading }: Simulation): SimReply {
  const { brokerage, user } = session;
  if (!brokerage.pnlPrimed) {
    brokerage.pnlPrimed = true;
    return ok({ upnl: {} });
  }
  const rows = user.accountIds.map((id) => [`${id}.Core`, profitOf(trading.valuation(id, request.now))] as const);
  return ok({ upnl: Object.fromEntries(rows) });
}

/** The accounts that a body names, or the refusal of one that isn't the user's. */
function accountsOf(
  request: SimRequest,
  session: Session,
  { trading }: Simulation,
): { readonly accounts: readonly SimAccount[] } | { readonly refusal: SimReply } {
  const body = isRecord(request.body) ? request.body : {};
  const ids = Array.isArray(body["acctIds"]) ? body["acctIds"] : [];
  if (ids.length === 0) return { refusal: failure(400, "400 Bad Request: acctIds is required") };
  const accounts = ids.flatMap((id) => (typeof id === "string" && session.user.accountIds.includes(id) ? (trading.account(id) ?? []) : []));
  return accounts.length === ids.length ? { accounts } : { refusal: failure(500, "Internal Server Error") };
}

function valuesOf(account: SimAccount, now: number, { market, trading }: Simulation): readonly DayValue[] {
  const present = trading.valuation(account.id, now).total.netLiquidation;
  return netAssetValues({ account, history: trading.history(account.id), market, now, present });
}

interface Measured {
  readonly account: SimAccount;
  readonly values: PeriodValues;
}

function performance(request: SimRequest, session: Session, simulation: Simulation): SimReply {
  const named = accountsOf(request, session, simulation);
  if ("refusal" in named) return named.refusal;
  const { accounts } = named;
  const period = isRecord(request.body) ? String(request.body["period"]) : "";
  const measured = accounts.flatMap((account): readonly Measured[] => {
    const values = periodValues(valuesOf(account, request.now, simulation), period);
    return values === undefined ? [] : [{ account, values }];
  });
  const [first] = measured;
  if (first === undefined) return failure(400, `400 Bad Request: Invalid period: ${period.slice(0, 20)}`);
  const dates = longest(measured).days.map(({ date }) => date);
  const months = [...monthlyReturns(longest(measured)).keys()];
  return ok({
    currencyType: "base",
    rc: 0,
    pm: "TWR",
    nd: dates.length,
    id: "getPerformanceData",
    included: measured.map(({ account }) => account.id),
    nav: {
      freq: "D",
      dates,
      data: measured.map((each) => seriesOf(each, { startNAV: startValue(each.values), navs: navsOf(each.values) })),
    },
    cps: { freq: "D", dates, data: measured.map((each) => seriesOf(each, { returns: each.values.cumulative.map(returnNumber) })) },
    tpps: {
      freq: "M",
      dates: months,
      data: measured.map((each) => seriesOf(each, { returns: [...monthlyReturns(each.values).values()].map(returnNumber) })),
    },
  });
}

function longest(measured: readonly Measured[]): PeriodValues {
  const [first, ...others] = measured.map(({ values }) => values);
  if (first === undefined) throw new Error("nothing was measured");
  return others.reduce((most, each) => (each.days.length > most.days.length ? each : most), first);
}

type Figures = Readonly<Record<string, unknown>>;

function seriesOf({ account, values }: Measured, figures: Figures): Figures {
  const { days } = values;
  return { id: account.id, idType: "acctid", start: days[0]?.date, end: days.at(-1)?.date, ...figures, baseCurrency: account.baseCurrency };
}

function navsOf({ days }: PeriodValues): readonly unknown[] {
  return days.map(({ value }) => money(value));
}

function allPeriods(request: SimRequest, session: Session, simulation: Simulation): SimReply {
  const named = accountsOf(request, session, simulation);
  if ("refusal" in named) return named.refusal;
  const { accounts } = named;
  const ids = accounts.map(({ id }) => id);
  const series = accounts.map((account) => ({ account, values: valuesOf(account, request.now, simulation) }));
  const nd = Math.max(0, ...series.map(({ values }) => values.length));
  const each = series.map(({ account, values }) => [account.id, periodsOf(account, values, request.now)] as const);
  return ok({
    pm: "TWR",
    nd,
    id: "getPerformanceAllPeriods",
    currencyType: "base",
    view: ids,
    included: ids,
    rc: 0,
    ...Object.fromEntries(each),
  });
}

function periodsOf(account: SimAccount, values: readonly DayValue[], now: number): Readonly<Record<string, unknown>> {
  const periods = PERIODS.flatMap((period) => {
    const found = periodValues(values, period);
    if (found === undefined) return [];
    const dates = found.days.map(({ date }) => date);
    return [
      [period, { freq: "D", startNAV: startValue(found), dates, nav: navsOf(found), cps: found.cumulative.map(returnNumber) }] as const,
    ];
  });
  return {
    ...Object.fromEntries(periods),
    baseCurrency: account.baseCurrency,
    start: values[0]?.date,
    end: values.at(-1)?.date,
    periods: PERIODS,
    lastSuccessfulUpdate: new Date(now).toISOString().slice(0, 19).replace("T", " "),
  };
}

function transactions(request: SimRequest, session: Session, simulation: Simulation): SimReply {
  const body = isRecord(request.body) ? request.body : {};
  const conids = Array.isArray(body["conids"]) ? body["conids"].map(Number).filter((conid) => Number.isSafeInteger(conid)) : [];
  const { currency, days = DEFAULT_DAYS } = body;
  if (!Array.isArray(body["acctIds"]) || body["acctIds"].length === 0 || conids.length === 0 || typeof currency !== "string")
    return failure(400, "400 Bad Request: acctIds, currency and conids are required");
  const named = accountsOf(request, session, simulation);
  if ("refusal" in named) return named.refusal;
  const { accounts } = named;
  if (typeof days !== "number" || days < 1 || days > MAX_DAYS) return failure(400, "400 Bad Request: days is not valid");
  const known = simulation.market.all().some((pair) => pair.currency === currency || (pair.secType === "CASH" && pair.symbol === currency));
  if (!known) return failure(400, "400 Bad Request: currency is not valid");
  return ok(transactionsOf({ accounts, conids, currency, days, now: request.now, simulation }));
}
