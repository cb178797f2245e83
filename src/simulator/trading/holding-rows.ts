import { Decimal } from "../../lib/decimal.ts";
import { rawNumber } from "../../lib/json.ts";
import type { SimInstrument } from "../market/market.ts";
import { decimalsOf } from "./amounts.ts";
import { money, number } from "./number-text.ts";
import { contractText } from "./order-text.ts";
import type { Holding } from "./valuation.ts";

/** Rows on one page of positions. */
export const PAGE_SIZE = 100;
const PRICE_DECIMALS = 7;
const COST_DECIMALS = 8;

interface Figures {
  readonly price: Decimal;
  readonly value: Decimal;
  readonly averageCost: Decimal;
  readonly averagePrice: Decimal;
  readonly realized: Decimal;
  readonly unrealized: Decimal;
}

function figuresOf({ instrument, position, price, value, unrealized }: Holding): Figures {
  const { quantity, cost, realizedToday } = position;
  const averageCost = quantity.isZero() ? Decimal.zero : cost.dividedBy(quantity, COST_DECIMALS);
  const averagePrice = averageCost.dividedBy(instrument.multiplier, COST_DECIMALS);
  return { price, value, averageCost, averagePrice, realized: realizedToday, unrealized };
}

/** The first, sparse form of a position (reference C.3): without the contract's details. */
export function sparseRow(holding: Holding, accountId: string): Readonly<Record<string, unknown>> {
  const { instrument, position } = holding;
  const figures = figuresOf(holding);
  return {
    acctId: accountId,
    conid: instrument.conid,
    contractDesc: contractText(instrument),
    position: number(position.quantity),
    mktPrice: number(figures.price.round(PRICE_DECIMALS)),
    mktValue: money(figures.value),
    currency: instrument.currency,
    avgCost: number(figures.averageCost),
    avgPrice: number(figures.averagePrice),
    realizedPnl: money(figures.realized),
    unrealizedPnl: money(figures.unrealized),
    exchs: null,
    expiry: null,
    putOrCall: null,
    multiplier: null,
    // Text once the contract's details have come.
    strike: rawNumber("0.0"),
    exerciseStyle: null,
    conExchMap: [],
    assetClass: instrument.secType,
    undConid: 0,
    model: "",
  };
}

/** The complete form, which a later read of the session gives. */
export function enrichedRow(holding: Holding, accountId: string): Readonly<Record<string, unknown>> {
  const { instrument, rate } = holding;
  const figures = figuresOf(holding);
  const inBase = (value: Decimal): unknown => money(value.times(rate));
  return {
    ...sparseRow(holding, accountId),
    expiry: instrument.expiry ?? null,
    putOrCall: instrument.right ?? null,
    multiplier: instrument.secType === "OPT" ? number(instrument.multiplier) : rawNumber("0.0"),
    strike: instrument.strike?.toString() ?? "0",
    undConid: instrument.underlyingConid ?? 0,
    baseMktValue: inBase(figures.value),
    baseMktPrice: number(figures.price.times(rate).round(PRICE_DECIMALS)),
    baseAvgCost: number(figures.averageCost.times(rate).round(COST_DECIMALS)),
    baseAvgPrice: number(figures.averagePrice.times(rate).round(COST_DECIMALS)),
    baseRealizedPnl: inBase(figures.realized),
    baseUnrealizedPnl: inBase(figures.unrealized),
    incrementRules: instrument.priceIncrements.map(({ lowerEdge, increment }) => ({
      lowerEdge: number(lowerEdge),
      increment: number(increment),
    })),
    displayRule: { magnification: 0, displayRuleStep: instrument.priceIncrements.map(displayStep) },
    time: 43,
    chineseName: instrument.name,
    allExchanges: instrument.validExchanges.filter((exchange) => exchange !== "SMART").join(","),
    listingExchange: instrument.listingExchange,
    countryCode: instrument.countryCode,
    name: instrument.name,
    lastTradingDay: instrument.expiry ?? null,
    group: instrument.group,
    sector: instrument.sector,
    sectorGroup: instrument.group,
    ticker: instrument.symbol,
    type: instrument.secType === "OPT" ? "" : instrument.etf ? "ETF" : "COMMON",
    hasOptions: holding.hasOptions,
    fullName: contractText(instrument),
    isUS: instrument.countryCode === "US",
    isEventContract: false,
    pageSize: PAGE_SIZE,
  };
}

function displayStep({ lowerEdge, increment }: SimInstrument["priceIncrements"][number]): Readonly<Record<string, unknown>> {
  return { decimalDigits: decimalsOf(increment), lowerEdge: number(lowerEdge), wholeDigits: 4 };
}

/** A row of the newer positions endpoint, which is never sparse; `conid` is text. */
export function portfolio2Row(holding: Holding, at: number): Readonly<Record<string, unknown>> {
  const { instrument, position } = holding;
  const figures = figuresOf(holding);
  return {
    position: number(position.quantity),
    conid: String(instrument.conid),
    avgCost: number(figures.averageCost),
    avgPrice: number(figures.averagePrice),
    currency: instrument.currency,
    description: contractText(instrument),
    isLastToLoq: false,
    marketPrice: number(figures.price.round(PRICE_DECIMALS)),
    marketValue: money(figures.value),
    realizedPnl: money(figures.realized),
    secType: instrument.secType,
    timestamp: Math.floor(at / 1000),
    unrealizedPnl: money(figures.unrealized),
    assetClass: instrument.secType,
    sector: instrument.sector,
    group: instrument.group,
    model: "",
  };
}
