import { renderToString } from "hono/jsx/dom/server";
import { describe, expect, it } from "vitest";

import { listedTrade } from "../../../test/support/listed-orders.ts";
import { Decimal } from "../../lib/decimal.ts";
import { PortfolioPage, type PortfolioPageProps, type PortfolioParts } from "./portfolio-page.tsx";
import { readPortfolioView } from "./portfolio-address.ts";
import { EMPTY_PART, type Part } from "./readings.ts";
import { stoppedState } from "./stopped-notice.tsx";
import type { ConnectionHealth } from "../../connections/connections.ts";

const NOW = Date.UTC(2026, 10, 23, 15);
const decimal = (text: string) => Decimal.parse(text);
const known = <V,>(value: V): Part<V> => ({ value, readAt: NOW - 60_000, fault: undefined, isPending: false });
const pending: Part<never> = { ...EMPTY_PART, isPending: true };
const failed: Part<never> = {
  ...EMPTY_PART,
  fault: { message: "IBKR can't be reached.", whatToDo: "Wait a moment.", link: "/help/troubleshooting" },
};
const ALL_FAILED: PortfolioParts = {
  positions: failed,
  ledger: failed,
  summary: failed,
  pnl: failed,
  orders: failed,
  trades: failed,
  performance: failed,
};

function show(parts: Partial<PortfolioParts>, over: Partial<PortfolioPageProps> = {}): string {
  return renderToString(
    <PortfolioPage
      connectionId="con_1"
      mode="live"
      accounts={[{ accountId: "U1", title: undefined, type: undefined, baseCurrency: "EUR" }]}
      accountId="U1"
      view={readPortfolioView(() => undefined)}
      parts={{ ...ALL_FAILED, ...parts }}
      now={NOW}
      {...over}
    />,
  );
}

const summary = known({
  accountId: "U1",
  currency: "EUR",
  netLiquidationValue: decimal("1000"),
  totalCash: decimal("250"),
  grossPositionValue: undefined,
  availableFunds: undefined,
  excessLiquidity: undefined,
  buyingPower: decimal("4000.5"),
  initialMargin: undefined,
  maintenanceMargin: undefined,
  asOf: NOW,
});
const pnl = known({
  accountId: "U1",
  currency: "EUR",
  daily: undefined,
  unrealized: decimal("-12.5"),
  realized: undefined,
  netLiquidationValue: decimal("1000"),
  excessLiquidity: undefined,
  marketValue: undefined,
  asOf: NOW,
});

describe("a portfolio whose broker is down", () => {
  it("says each fault once, for which parts, and what to do", () => {
    const html = show({});
    expect(html.match(/IBKR can(?:&#39;|')t be reached\./g)).toHaveLength(1);
    expect(html).toContain("Positions, Cash, Account value, Day P&amp;L, Orders, Fills, Value over time:");
    expect(html).toContain('href="/help/troubleshooting"');
    expect(html).toContain('href="/console/connections/con_1"');
  });

  it("shows what is known beside what isn't", () => {
    const html = show({ summary, pnl, positions: known([]) });
    expect(html).toContain("1,000.00");
    expect(html).toContain("4,000.50");
    expect(html).toContain("−12.50");
    expect(html).toContain("not worked out by the broker yet");
    expect(html).toContain("25.0% of net value");
    expect(html).toContain("No positions");
    expect(html).toContain("Cash, Orders, Fills, Value over time:");
  });

  it("tells older figures as such, and follows no link to a stranger", () => {
    const old = { ...summary, fault: { message: "Late.", whatToDo: "Wait.", link: "//evil.example" } };
    const html = show({ ...mapped(known([])), summary: old, pnl });
    expect(html).toContain("Some figures are older than they should be");
    expect(html).toContain("1 minute ago");
    expect(html).not.toContain("evil");
  });
});

function mapped(list: Part<never[]>): Partial<PortfolioParts> {
  return {
    positions: list,
    ledger: known({ accountId: "U1", baseCurrency: "EUR", balances: [], total: undefined, asOf: NOW }),
    orders: known({ orders: [], asOf: NOW }),
    trades: list,
    performance: known({
      accountId: "U1",
      currency: "EUR",
      period: "3M" as const,
      startDate: undefined,
      startValue: undefined,
      points: [],
      asOf: NOW,
    }),
  };
}

describe("a portfolio", () => {
  it("says that its session opens while nothing is known", () => {
    const parts = Object.fromEntries(Object.keys(ALL_FAILED).map((name) => [name, pending]));
    expect(show(parts)).toContain("Opening the session with the broker");
  });

  it("is calm when it is empty, and never claims to be simulated when it isn't", () => {
    const html = show({ ...mapped(known([])), summary, pnl });
    for (const text of [
      "No positions",
      "No cash in any currency.",
      "No orders today.",
      "Nothing was executed today.",
      "has no values for this period",
    ])
      expect(html).toContain(text);
    expect(html).not.toContain("imulated");
    expect(show({ summary }, { mode: "simulated" })).toContain("invented money on an invented market");
    expect(show({ summary }, { mode: "paper" })).toContain("invented money at real prices");
  });

  it("marks the time of a fill that IBKR told without one", () => {
    const fills = [false, true].map((isTimeApproximate) =>
      listedTrade({ executionId: String(isTimeApproximate), at: NOW - 120_000, isTimeApproximate }),
    );
    const html = show({ ...mapped(known([])), trades: known(fills), summary, pnl });
    expect(html.match(/2 minutes ago/g)).toHaveLength(2);
    expect(html.match(/about <time/g)).toHaveLength(1);
  });

  it("makes hostile names inert", () => {
    const accounts = ["U1", "U2"].map((accountId) => ({
      accountId,
      title: '"><script>alert(1)</script>',
      type: undefined,
      baseCurrency: "EUR",
    }));
    expect(show({}, { accounts })).not.toContain("<script>");
  });
});

it("asks nothing of a connection that is paused, frozen, or the demo's where that may not be", () => {
  // Only what the question looks at.
  const link = { state: "closed", layers: [] } as unknown as ConnectionHealth["link"];
  const health = (over: Partial<ConnectionHealth>) => ({ isDemo: false, link, ...over }) as ConnectionHealth;
  expect(stoppedState(health({}), false)).toBeUndefined();
  expect(stoppedState(health({ pausedAt: 1 }), false)).toBe("paused");
  expect(stoppedState(health({ pausedAt: 1, frozenAt: 1 }), false)).toBe("frozen");
  expect(stoppedState(health({ isDemo: true }), false)).toBe("not_served");
});
