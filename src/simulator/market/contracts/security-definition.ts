import { rawNumber } from "../../../lib/json.ts";
import type { Market, SimInstrument } from "../market.ts";
import { futureText, optionText } from "./option-months.ts";

/** Number of decimals of a plain decimal's text. */
export function decimalsOfText(text: string): number {
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.length - point - 1;
}

/** Decimals that an instrument's prices are shown with. */
export function priceDecimals(instrument: SimInstrument): number {
  return Math.max(...instrument.priceIncrements.map((rule) => decimalsOfText(rule.increment.toString())));
}

/** `incrementRules` as several endpoints give them, in the quoting unit (pence for a London share). */
export function incrementRules(instrument: SimInstrument) {
  return instrument.priceIncrements.map((rule) => ({
    lowerEdge: rawNumber(rule.lowerEdge.toFixed(Math.max(1, decimalsOfText(rule.lowerEdge.toString())))),
    increment: rawNumber(rule.increment.toString()),
  }));
}

/** `displayRule` as several endpoints give it. */
export function displayRule(instrument: SimInstrument) {
  const step = { decimalDigits: priceDecimals(instrument), lowerEdge: rawNumber("0.0"), wholeDigits: 4 };
  return { magnification: 0, displayRuleStep: [step] };
}

/** IBKR's name for the kind of a security: `COMMON`, `ETF`, or null for what isn't a share. */
export function securityType(instrument: SimInstrument): string | null {
  if (instrument.secType !== "STK") return null;
  return instrument.etf ? "ETF" : "COMMON";
}

/** The short description of a contract: the ticker, `EUR.USD`, or an option's terms. */
export function contractDescription(instrument: SimInstrument): string {
  if (instrument.secType === "CASH") return instrument.name;
  const { expiry, strike, right } = instrument;
  if (instrument.secType === "FUT" && expiry !== undefined) return `${instrument.symbol} ${futureText(expiry)}`;
  if (expiry === undefined || strike === undefined || right === undefined) return instrument.symbol;
  return `${instrument.symbol} ${optionText(expiry, strike.toString(), right)}`;
}

/** One row of `/trsrv/secdef`. */
export function securityDefinition(market: Market, instrument: SimInstrument) {
  const isDerivative = instrument.secType === "OPT" || instrument.secType === "FUT";
  return {
    conid: instrument.conid,
    currency: instrument.currency,
    time: 43,
    chineseName: null,
    allExchanges: instrument.validExchanges.join(","),
    listingExchange: instrument.listingExchange,
    countryCode: instrument.countryCode,
    name: instrument.name,
    assetClass: instrument.secType,
    expiry: instrument.expiry ?? null,
    lastTradingDay: instrument.expiry ?? null,
    group: instrument.group,
    putOrCall: instrument.right ?? null,
    sector: instrument.sector,
    sectorGroup: instrument.group,
    strike: instrument.strike?.toString() ?? "0",
    ticker: instrument.symbol,
    undConid: instrument.underlyingConid ?? 0,
    multiplier: rawNumber(isDerivative ? instrument.multiplier.toFixed(1) : "0.0"),
    type: securityType(instrument),
    hasOptions: market.strikes(instrument.conid).length > 0,
    fullName: contractDescription(instrument),
    isUS: instrument.countryCode === "US",
    isEventContract: false,
    incrementRules: incrementRules(instrument),
    displayRule: displayRule(instrument),
  };
}
