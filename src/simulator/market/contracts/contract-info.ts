import { rawNumber } from "../../../lib/json.ts";
import type { Listing } from "../catalogue/listing.ts";
import type { Market, SimInstrument } from "../market.ts";
import { futureText, optionText } from "./option-months.ts";
import { decimalsOfText, incrementRules, priceDecimals } from "./security-definition.ts";

/** The answer of `/iserver/contract/{conid}/info`. */
export function contractInfo(market: Market, instrument: SimInstrument) {
  const { secType, symbol, expiry, strike, right } = instrument;
  const smart = instrument.validExchanges.includes("SMART");
  const common = {
    cfi_code: "",
    symbol,
    cusip: null,
    expiry_full: expiry ?? null,
    con_id: instrument.conid,
    maturity_date: expiry ?? null,
    industry: instrument.group,
    category: instrument.group,
    instrument_type: secType,
    has_related_contracts: market.strikes(instrument.conid).length > 0,
    trading_class: tradingClass(instrument),
    valid_exchanges: instrument.validExchanges.join(","),
    allow_sell_long: false,
    is_zero_commission_security: false,
    local_symbol: secType === "CASH" ? instrument.name : (instrument.localSymbol ?? symbol),
    contract_clarification_type: null,
    classifier: null,
    currency: instrument.currency,
    text: null as string | null,
    underlying_con_id: instrument.underlyingConid ?? 0,
    r_t_h: true,
    multiplier: secType === "OPT" || secType === "FUT" ? instrument.multiplier.toString() : null,
    underlying_issuer: null,
    contract_month: instrument.contractMonth ?? null,
    company_name: instrument.name,
    smart_available: smart,
    exchange: smart ? "SMART" : instrument.listingExchange,
  };
  if (secType === "FUT" && expiry !== undefined) return { ...common, text: futureText(expiry) };
  if (expiry === undefined || strike === undefined || right === undefined) return common;
  const text = optionText(expiry, strike.toString(), right);
  return { ...common, text, right: right === "C" ? "CALL" : "PUT", strike: strike.toFixed(1) };
}

function tradingClass({ secType, listingExchange, symbol }: SimInstrument): string {
  return secType === "STK" && listingExchange === "NASDAQ" ? "NMS" : symbol;
}

const ORDER_TYPES = [
  "limit",
  "midprice",
  "market",
  "stop",
  "stop_limit",
  "mit",
  "lit",
  "trailing_stop",
  "trailing_stop_limit",
  "relative",
  "marketonclose",
  "limitonclose",
];
const FRACTION_TYPES = ["limit", "market", "stop", "stop_limit"];
const CASH_QUANTITY_TYPES = ["limit", "market", "stop", "stop_limit", "mit", "lit", "trailing_stop", "trailing_stop_limit"];
const OUTSIDE_TYPES = ["limit", "stop_limit", "lit", "trailing_stop_limit", "relative"];
const TIME_IN_FORCE = [
  "IOC/MARKET,LIMIT,RELATIVE,MARKETONCLOSE,MIDPRICE,LIMITONCLOSE,STOP,STOP_LIMIT,a",
  "GTC/o,a",
  "OPG/LIMIT,MARKET,a",
  "GTD/o,a",
  "DAY/o,a",
];

/** Whose order rules are asked for, for which side, and when. */
export interface RulesRequest {
  readonly isBuy: boolean;
  readonly accountIds: readonly string[];
  readonly now: number;
}

/**
 * The answer of `/iserver/contract/rules`. Prices and increments are in the quoting unit: for a London share, pence, which
 * `priceMagnifier: 100` tells; elsewhere it is null.
 */
export function contractRules(market: Market, instrument: SimInstrument, request: RulesRequest) {
  const quote = market.quote(instrument.conid, request.now);
  // Futures can be looked at, but not traded, in these accounts.
  const tradable = instrument.secType !== "IND" && instrument.secType !== "FUT";
  const share = instrument.secType === "STK";
  const increment = market.priceIncrement(instrument.conid, quote.last);
  const price = rawNumber(quote.last.toString());
  const defaultSize = share ? 100 : instrument.secType === "CASH" ? 20_000 : 1;
  const rules = {
    algoEligible: share,
    overnightEligible: share && instrument.countryCode === "US",
    costReport: false,
    canTradeAcctIds: tradable ? request.accountIds : [],
    error: null,
    orderTypes: tradable ? ORDER_TYPES : [],
    ibAlgoTypes: share ? ["limit", "stop_limit", "lit", "trailing_stop_limit", "relative", "marketonclose", "limitonclose"] : [],
    fraqTypes: instrument.fractionsAllowed ? FRACTION_TYPES : [],
    forceOrderPreview: false,
    cqtTypes: tradable && instrument.secType !== "OPT" ? CASH_QUANTITY_TYPES : [],
    orderDefaults: { LMT: { LP: (request.isBuy ? quote.ask : quote.bid).toFixed(priceDecimals(instrument)) } },
    orderTypesOutside: share ? OUTSIDE_TYPES : [],
    defaultSize,
    cashSize: rawNumber("0.0"),
    sizeIncrement: ticketStep(instrument, market.listing(instrument.conid)),
    tifTypes: TIME_IN_FORCE,
    tifDefaults: { TIF: "DAY", SIZE: `${defaultSize}.00` },
    limitPrice: price,
    stopprice: price,
    orderOrigination: null,
    preview: true,
    displaySize: null,
    fraqInt: instrument.fractionsAllowed ? 4 : 0,
    cashCcy: instrument.currency,
    cashQtyIncr: 500,
    priceMagnifier: instrument.magnifier === 1 ? null : instrument.magnifier,
    negativeCapable: false,
    increment: rawNumber(increment.toString()),
    incrementDigits: decimalsOfText(increment.toString()),
    incrementType: 1,
    incrementRules: incrementRules(instrument),
    hasSecondary: true,
    modTypes: tradable ? ORDER_TYPES : [],
  };
  return { ...rules, ...RECORDED[instrument.conid] };
}

/** Rules as recordings have them: without the keys that are undefined here. Fractions of these shares trade all the same. */
const RECORDED: Readonly<Record<number, Readonly<Record<string, unknown>>>> = {
  // SPY.
  756_733: { fraqTypes: [], fraqInt: 0 },
  // KO.
  8894: { fraqTypes: undefined, fraqInt: undefined },
  // IBM.
  8314: { orderTypesOutside: undefined },
};

/** Round lots of US shares by price since November 2025 (Regulation NMS, rule 600). */
const ROUND_LOTS: readonly (readonly [above: number, lot: number])[] = [
  [10_000, 1],
  [1000, 10],
  [250, 40],
  [0, 100],
];

/** The step of IBKR's order ticket. A US share trades in any quantity all the same, one that has a true lot doesn't. */
function ticketStep(instrument: SimInstrument, listing: Listing | undefined): number {
  const { secType, countryCode, sizeIncrement } = instrument;
  if (secType !== "STK" || countryCode !== "US") return Math.max(1, Number(sizeIncrement.toString()));
  return ROUND_LOTS.find(([above]) => Number(listing?.price ?? "0") > above)?.[1] ?? 1;
}
