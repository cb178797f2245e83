import { Decimal } from "../../lib/decimal.ts";
import { rawNumber } from "../../lib/json.ts";
import { money } from "./number-text.ts";
import type { AccountValuation } from "./valuation.ts";

const ZERO = Decimal.zero;

/** Figures that come three times: for the account, for securities (`-s`) and for commodities (`-c`, where nothing is held). */
function segmentedFigures(valuation: AccountValuation): Readonly<Record<string, Decimal>> {
  const { availableFunds, excessLiquidity, initialMargin, maintenanceMargin, equityWithLoan, total } = valuation;
  return {
    accruedcash: ZERO,
    accrueddividend: ZERO,
    availablefunds: availableFunds,
    billable: ZERO,
    equitywithloanvalue: equityWithLoan,
    excessliquidity: excessLiquidity,
    fullavailablefunds: availableFunds,
    fullexcessliquidity: excessLiquidity,
    fullinitmarginreq: initialMargin,
    fullmaintmarginreq: maintenanceMargin,
    guarantee: ZERO,
    indianstockhaircut: ZERO,
    initmarginreq: initialMargin,
    lookaheadavailablefunds: availableFunds,
    lookaheadexcessliquidity: excessLiquidity,
    lookaheadinitmarginreq: initialMargin,
    lookaheadmaintmarginreq: maintenanceMargin,
    maintmarginreq: maintenanceMargin,
    netliquidation: total.netLiquidation,
    netliquidationuncertainty: ZERO,
    nlvandmargininreview: ZERO,
    pasharesvalue: ZERO,
    physicalcertificatevalue: ZERO,
    postexpirationexcess: ZERO,
    postexpirationmargin: ZERO,
    totalcashvalue: total.cash,
    totaldebitcardpendingcharges: ZERO,
  };
}

/** Figures that come for the account alone, or for it and its securities. */
function otherFigures(valuation: AccountValuation): Readonly<Record<string, Decimal>> {
  const { equityWithLoan, grossPositionValue, regulationTMargin, total } = valuation;
  const available = Decimal.max(ZERO, valuation.availableFunds);
  const previousDay = equityWithLoan.minus(total.daily);
  const specialMemorandum = Decimal.max(ZERO, equityWithLoan.minus(regulationTMargin));
  return {
    availabletotrade: available,
    availabletowithdraw: Decimal.max(ZERO, Decimal.min(available, total.settledCash)),
    buyingpower: valuation.buyingPower,
    depositoncredithold: ZERO,
    grosspositionvalue: grossPositionValue,
    "grosspositionvalue-s": grossPositionValue,
    highestseverity: ZERO,
    lookaheadnextchange: ZERO,
    previousdayequitywithloanvalue: previousDay,
    "previousdayequitywithloanvalue-s": previousDay,
    regtequity: equityWithLoan,
    "regtequity-s": equityWithLoan,
    regtmargin: regulationTMargin,
    "regtmargin-s": regulationTMargin,
    sma: specialMemorandum,
    "sma-s": specialMemorandum,
  };
}

function texts(valuation: AccountValuation): Readonly<Record<string, string>> {
  const { total, excessLiquidity, grossPositionValue } = valuation;
  const share = (value: Decimal): string => (total.netLiquidation.isPositive() ? value.dividedBy(total.netLiquidation, 6).toString() : "0");
  return {
    accountcode: valuation.account.id,
    accountready: "true",
    accounttype: "INDIVIDUAL",
    "columnprio-c": "1",
    "columnprio-s": "0",
    cushion: share(excessLiquidity),
    daytradesremaining: "-1",
    "daytradesremainingt+1": "-1",
    "daytradesremainingt+2": "-1",
    "daytradesremainingt+3": "-1",
    "daytradesremainingt+4": "-1",
    "daytradingstatus-s": "Regular",
    "leverage-s": share(grossPositionValue),
    "segmenttitle-c": "US Commodities",
    "segmenttitle-s": "US Securities",
    "tradingtype-s": "STKMRGN",
    whatifpmenabled: "true",
  };
}

/** Builds the portfolio's summary: 114 keys, each with an amount in the base currency or a text (reference C.2). */
export function portfolioSummary(valuation: AccountValuation): Readonly<Record<string, unknown>> {
  const { account, at } = valuation;
  const amount = (value: Decimal): unknown => ({
    amount: money(value),
    currency: account.baseCurrency,
    isNull: false,
    timestamp: at,
    value: null,
    severity: 0,
  });
  const text = (value: string): unknown => ({ amount: rawNumber("0.0"), currency: null, isNull: false, timestamp: at, value, severity: 0 });
  const segmented = Object.entries(segmentedFigures(valuation)).flatMap(([key, value]) => [
    [key, amount(value)],
    [`${key}-c`, amount(ZERO)],
    [`${key}-s`, amount(value)],
  ]);
  const others = Object.entries(otherFigures(valuation)).map(([key, value]) => [key, amount(value)]);
  const words = Object.entries(texts(valuation)).map(([key, value]) => [key, text(value)]);
  return Object.fromEntries([...segmented, ...others, ...words].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}
