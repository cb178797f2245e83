import { z } from "zod";

import type { Account, CashLedger } from "../../broker/account.ts";
import type { AccountPnl, Performance, PerformancePeriod, PerformancePoint } from "../../broker/research.ts";
import { Decimal } from "../../lib/decimal.ts";
import type { ApiRequest } from "../transport.ts";
import { monthsBefore } from "../zoned-clock.ts";
import { isoDate } from "./codes.ts";
import { decimal, listOf, text } from "./reply.ts";

const PNL = "/iserver/account/pnl/partitioned";

/** `GET /iserver/account/pnl/partitioned`: all accounts at once, once in five seconds; empty at first. */
export const PARTITIONED_PNL: ApiRequest = { method: "GET", path: PNL, endpoint: PNL };

/** Rows by account and model (`DU1234567.Core`). `el` is called `uel` by the socket. */
export const pnlReply = z.looseObject({
  upnl: z.record(z.string(), z.looseObject({ dpl: decimal, nl: decimal, upl: decimal, el: decimal, uel: decimal, mv: decimal })).catch({}),
});

/** Profit and loss by account and model. */
export type PnlRows = z.output<typeof pnlReply>["upnl"];

/** Reads an account's row into our terms; what IBKR leaves out of it is read off the cash ledger, whose total is in the base currency. */
export function toPnl(rows: PnlRows, about: { account: Account; ledger: CashLedger }, asOf: number): AccountPnl {
  const { account, ledger } = about;
  const prefix = `${account.accountId}.`;
  const key =
    Object.keys(rows).find((candidate) => candidate === `${prefix}Core`) ?? Object.keys(rows).find((each) => each.startsWith(prefix));
  const row = key === undefined ? undefined : rows[key];
  return {
    accountId: account.accountId,
    currency: account.baseCurrency ?? ledger.baseCurrency,
    daily: row?.dpl,
    unrealized: row?.upl ?? ledger.total?.unrealizedPnl,
    realized: ledger.total?.realizedPnl,
    netLiquidationValue: row?.nl ?? ledger.total?.netLiquidationValue,
    excessLiquidity: row?.el ?? row?.uel,
    marketValue: row?.mv,
    asOf,
  };
}

/** `POST /pa/allperiods`: value and returns of every period of several accounts, once in 15 minutes. */
export function allPeriodsRequest(accountIds: readonly string[]): ApiRequest {
  return { method: "POST", path: "/pa/allperiods", endpoint: "/pa/allperiods", body: { acctIds: accountIds } };
}

/** `POST /pa/performance`: one period, once in 15 minutes. */
export function performanceRequest(accountId: string, period: string): ApiRequest {
  return { method: "POST", path: "/pa/performance", endpoint: "/pa/performance", body: { acctIds: [accountId], period } };
}

const MONTHS_OF_YEAR: Readonly<Partial<Record<PerformancePeriod, number>>> = { "3M": 3, "6M": 6 };

/** The period that IBKR takes: it refuses three and six months, which are the end of its year. */
export function wirePeriod(period: PerformancePeriod): string {
  return MONTHS_OF_YEAR[period] === undefined ? period : "1Y";
}

const start = z.looseObject({ date: text, val: decimal }).optional().catch(undefined);
const periodSeries = z.looseObject({ startNAV: start, dates: listOf(text), nav: listOf(decimal), cps: listOf(decimal) });
const accountPeriods = z.looseObject({ baseCurrency: text }).catchall(z.unknown());

/** Answer of `/pa/allperiods`: beside other things an object for each account. */
export const allPeriodsReply = z.record(z.string(), z.unknown());

const performanceSeries = z.looseObject({
  id: text,
  baseCurrency: text,
  startNAV: start,
  navs: listOf(decimal),
  returns: listOf(decimal),
});
const seriesList = z.looseObject({ dates: listOf(text), data: listOf(performanceSeries) });

/** Answer of `/pa/performance`. */
export const performanceReply = z.looseObject({ nav: seriesList, cps: seriesList });

/** One period of one account, as either endpoint tells it. */
export interface PeriodSeries {
  readonly currency: string | undefined;
  readonly startDate: string | undefined;
  readonly startValue: Decimal | undefined;
  readonly points: readonly PerformancePoint[];
}

/** One account's period out of all; undefined where the answer has none. */
export function seriesOfPeriods(reply: z.output<typeof allPeriodsReply>, accountId: string, period: string): PeriodSeries | undefined {
  const account = accountPeriods.safeParse(reply[accountId]);
  const series = periodSeries.safeParse(account.data?.[period]);
  if (!account.success || !series.success || series.data.dates.length === 0) return undefined;
  const { dates, nav, cps, startNAV } = series.data;
  return { currency: account.data.baseCurrency, ...startOf(startNAV), points: pointsOf(dates, { values: nav, returns: cps }) };
}

/** One account's figures out of a single period's answer; undefined where it has none. */
export function seriesOfPerformance(reply: z.output<typeof performanceReply>, accountId: string): PeriodSeries | undefined {
  const values = reply.nav.data.find(({ id }) => id === accountId);
  const returns = reply.cps.data.find(({ id }) => id === accountId);
  if (values === undefined && returns === undefined) return undefined;
  const dates = reply.nav.dates.length > 0 ? reply.nav.dates : reply.cps.dates;
  return {
    currency: values?.baseCurrency ?? returns?.baseCurrency,
    ...startOf(values?.startNAV),
    points: pointsOf(dates, { values: values?.navs ?? [], returns: returns?.returns ?? [] }),
  };
}

/** Reads a series into our terms; three and six months are cut out of the year. */
export function toPerformance(series: PeriodSeries, about: { account: Account; period: PerformancePeriod; asOf: number }): Performance {
  const months = MONTHS_OF_YEAR[about.period];
  const { startDate, startValue, points } = months === undefined ? series : lastMonths(series, months);
  return {
    accountId: about.account.accountId,
    currency: series.currency ?? about.account.baseCurrency ?? "",
    period: about.period,
    startDate,
    startValue,
    points,
    asOf: about.asOf,
  };
}

const RETURN_DECIMALS = 12;

/** The last months of a series, its returns counted from there: the returns of two stretches multiply. */
function lastMonths(series: PeriodSeries, months: number): PeriodSeries {
  const last = series.points.at(-1);
  if (last === undefined) return series;
  const before = monthsBefore(last.date, months);
  const index = series.points.findLastIndex((point) => point.date <= before);
  const base = series.points[index];
  if (base === undefined) return series;
  const factor = base.cumulativeReturn?.plus(Decimal.one);
  const points = series.points.slice(index + 1).map((point): PerformancePoint => {
    const whole = point.cumulativeReturn?.plus(Decimal.one);
    const known = whole !== undefined && factor !== undefined && !factor.isZero();
    const { date, netAssetValue } = point;
    return { date, netAssetValue, cumulativeReturn: known ? whole.dividedBy(factor, RETURN_DECIMALS).minus(Decimal.one) : undefined };
  });
  return { currency: series.currency, startDate: base.date, startValue: base.netAssetValue, points };
}

function startOf(value: z.output<typeof start>): Pick<PeriodSeries, "startDate" | "startValue"> {
  return { startDate: isoDate(value?.date), startValue: value?.val };
}

function pointsOf(
  dates: readonly (string | undefined)[],
  series: { values: readonly (Decimal | undefined)[]; returns: readonly (Decimal | undefined)[] },
): PerformancePoint[] {
  const points = dates.flatMap((compact, index): PerformancePoint[] => {
    const date = isoDate(compact);
    return date === undefined ? [] : [{ date, netAssetValue: series.values[index], cumulativeReturn: series.returns[index] }];
  });
  return points.toSorted((a, b) => (a.date < b.date ? -1 : 1));
}
