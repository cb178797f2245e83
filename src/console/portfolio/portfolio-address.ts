import type { PerformancePeriod } from "../../broker/research.ts";
import { connectionPath } from "../connections/connection-paths.ts";
import { orderText, type PositionOrder, readOrder } from "./position-order.ts";

/** Periods of value over time that the page offers. */
export const VALUE_PERIODS = ["1M", "3M", "YTD", "1Y"] as const satisfies readonly PerformancePeriod[];

export type ValuePeriod = (typeof VALUE_PERIODS)[number];

/** How somebody looks at a portfolio, as its address says. */
export interface PortfolioView {
  readonly accountId: string | undefined;
  readonly order: PositionOrder;
  readonly period: ValuePeriod;
}

/** How bars are asked for. */
export interface ChartRange {
  readonly name: "1D" | "5D" | "1M" | "6M" | "1Y" | "5Y";
  readonly period: string;
  readonly bar: string;
}

/** Ranges of price charts: each some hundred bars at most, of a length that IBKR offers for it. */
export const CHART_RANGES = [
  { name: "1D", period: "1d", bar: "5min" },
  { name: "5D", period: "5d", bar: "30min" },
  { name: "1M", period: "1m", bar: "2h" },
  { name: "6M", period: "6m", bar: "1d" },
  { name: "1Y", period: "1y", bar: "1d" },
  { name: "5Y", period: "5y", bar: "1w" },
] as const satisfies readonly ChartRange[];

/** How somebody looks at a security. */
export interface SecurityView {
  readonly accountId: string | undefined;
  readonly range: ChartRange;
}

const WAITS = "waits";

type Query = (name: string) => string | undefined;

const USUAL_PERIOD: ValuePeriod = "3M";
const USUAL_RANGE = CHART_RANGES[3];
/** IBKR's ids are shorter. */
const ACCOUNT = /^\w{1,32}$/;

/** Reads a view; whatever can't be meant is as if it were left out. */
export function readPortfolioView(query: Query): PortfolioView {
  return {
    accountId: accountOf(query),
    order: readOrder(query("sort")),
    period: VALUE_PERIODS.find((period) => period === query("period")) ?? USUAL_PERIOD,
  };
}

/** Reads how somebody looks at a security. */
export function readSecurityView(query: Query): SecurityView {
  return { accountId: accountOf(query), range: CHART_RANGES.find(({ name }) => name === query("range")) ?? USUAL_RANGE };
}

/** The address of a portfolio in this view, or of the events that keep it current. */
export function portfolioPath(connectionId: string, view: Partial<PortfolioView> = {}, below: "" | "/events" = ""): string {
  return withQuery(`${connectionPath(connectionId, "portfolio")}${below}`, {
    account: view.accountId,
    sort: view.order === undefined ? undefined : orderText(view.order),
    period: view.period === USUAL_PERIOD ? undefined : view.period,
  });
}

/** The address of a security, or of the events that keep it current. */
export function securityPath(connectionId: string, conid: number, view: Partial<SecurityView> = {}, below: "" | "/events" = ""): string {
  return withQuery(`${connectionPath(connectionId, "securities")}/${conid}${below}`, {
    account: view.accountId,
    range: view.range === undefined || view.range.name === USUAL_RANGE.name ? undefined : view.range.name,
  });
}

/** The address of events for a page that has no chart yet: it loads itself again when there is one. */
export function waitingForChart(events: string): string {
  return `${events}${events.includes("?") ? "&" : "?"}${WAITS}=chart`;
}

/** Whether the page that asks for events waits for its chart. */
export function waitsForChart(query: Query): boolean {
  return query(WAITS) === "chart";
}

/** Where securities are searched. */
export function searchPath(connectionId: string): string {
  return connectionPath(connectionId, "securities");
}

function accountOf(query: Query): string | undefined {
  const text = query("account");
  return text !== undefined && ACCOUNT.test(text) ? text : undefined;
}

function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}
