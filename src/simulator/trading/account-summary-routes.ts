import { Decimal } from "../../lib/decimal.ts";
import { rawNumber } from "../../lib/json.ts";
import { ok } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import { grouped, money } from "./number-text.ts";
import { ofAccount } from "./order-access.ts";
import type { AccountValuation, CurrencyTotals } from "./valuation.ts";

type Answer = Readonly<Record<string, unknown>>;

/** The summary of a trading account and its four parts (reference C.1). */
export const accountSummaryRoutes: readonly Route[] = [
  summaryRoute("summary", wholeSummary),
  summaryRoute("summary/available_funds", availableFunds),
  summaryRoute("summary/balances", balances),
  summaryRoute("summary/margins", margins),
  summaryRoute("summary/market_value", marketValue),
];

function summaryRoute(name: string, build: (valuation: AccountValuation) => Answer): Route {
  return {
    method: "GET",
    path: `/iserver/account/{accountId}/${name}`,
    tier: "brokerage",
    handle: ofAccount(({ accountId, request, simulation }) => ok(build(simulation.trading.valuation(accountId, request.now)))),
  };
}

/** Plain numbers in the account's currency. */
function wholeSummary(valuation: AccountValuation): Answer {
  const { account, currencies, total, availableFunds: available, excessLiquidity, equityWithLoan, initialMargin } = valuation;
  const cashBalances = currencies.map(({ currency, cash, settledCash }) => ({
    currency,
    balance: money(cash),
    settledCash: money(settledCash),
  }));
  const sum = { currency: `Total (in ${account.baseCurrency})`, balance: money(total.cash), settledCash: money(total.settledCash) };
  return {
    accountType: "",
    status: "",
    balance: money(available),
    SMA: money(Decimal.max(Decimal.zero, equityWithLoan.minus(valuation.regulationTMargin))),
    buyingPower: money(valuation.buyingPower),
    availableFunds: money(available),
    excessLiquidity: money(excessLiquidity),
    netLiquidationValue: money(total.netLiquidation),
    equityWithLoanValue: money(equityWithLoan),
    regTLoan: rawNumber("0.0"),
    securitiesGVP: money(valuation.grossPositionValue),
    totalCashValue: money(total.cash),
    accruedInterest: rawNumber("0.0"),
    regTMargin: money(valuation.regulationTMargin),
    initialMargin: money(initialMargin),
    maintenanceMargin: money(valuation.maintenanceMargin),
    cashBalances: [...cashBalances, sum],
  };
}

/** The same figures for the whole and for securities; nothing for the other segments. */
function inSegments(figures: Readonly<Record<string, string>>): Answer {
  const nothing = Object.fromEntries(Object.keys(figures).map((key) => [key, "0"]));
  return { total: figures, securities: figures, commodities: nothing, "Crypto at Paxos": nothing };
}

function amountIn(valuation: AccountValuation): (value: Decimal) => string {
  return (value) => `${grouped(value)} ${valuation.account.baseCurrency}`;
}

function availableFunds(valuation: AccountValuation): Answer {
  const text = amountIn(valuation);
  const { grossPositionValue, total } = valuation;
  const leverage = total.netLiquidation.isPositive() ? grossPositionValue.dividedBy(total.netLiquidation, 2) : Decimal.zero;
  return inSegments({
    current_available: text(valuation.availableFunds),
    current_excess: text(valuation.excessLiquidity),
    buying_power: text(valuation.buyingPower),
    leverage: leverage.toFixed(2),
    look_ahead_available: text(valuation.availableFunds),
    look_ahead_excess: text(valuation.excessLiquidity),
  });
}

function balances(valuation: AccountValuation): Answer {
  const text = amountIn(valuation);
  return inSegments({
    net_liquidation: text(valuation.total.netLiquidation),
    equity_with_loan: text(valuation.equityWithLoan),
    cash: text(valuation.total.cash),
    "MTD Interest": text(Decimal.zero),
    previous_day_equity_with_loan: text(valuation.equityWithLoan.minus(valuation.total.daily)),
    securities_gross_position_value: text(valuation.grossPositionValue),
  });
}

function margins(valuation: AccountValuation): Answer {
  const text = amountIn(valuation);
  return inSegments({
    current_initial: text(valuation.initialMargin),
    current_maint: text(valuation.maintenanceMargin),
    look_ahead_initial: text(valuation.initialMargin),
    look_ahead_maint: text(valuation.maintenanceMargin),
    "RegT Margin": text(valuation.regulationTMargin),
  });
}

function marketValue(valuation: AccountValuation): Answer {
  return Object.fromEntries(valuation.currencies.map((totals) => [totals.currency, marketValueOf(totals)]));
}

function marketValueOf(totals: CurrencyTotals): Answer {
  return {
    total_cash: grouped(totals.cash),
    settled_cash: grouped(totals.settledCash),
    stock: grouped(totals.stockValue),
    options: grouped(totals.optionValue),
    futures: "0",
    net_liquidation: grouped(totals.netLiquidation),
    unrealized_pnl: grouped(totals.unrealized),
    realized_pnl: grouped(totals.realizedToday),
    "Exchange Rate": totals.rate.toFixed(6),
  };
}
