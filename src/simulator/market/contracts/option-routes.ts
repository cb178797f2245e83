import { Decimal } from "../../../lib/decimal.ts";
import { rawNumber } from "../../../lib/json.ts";
import { failure, ok, type Route, type SimReply, type SimRequest } from "../../http/route.ts";
import type { Session } from "../../session/session.ts";
import type { Simulation } from "../../simulation.ts";
import type { Market, SimInstrument } from "../market.ts";
import { futureText, isMonth, listedMonth, monthOf, optionText } from "./option-months.ts";
import { readInstrument } from "./read-conid.ts";

/** Option chains: strikes of a month, then the contracts of a strike. Both want a search for the underlying first. */
export const optionRoutes: readonly Route[] = [
  { method: "GET", path: "/iserver/secdef/strikes", tier: "brokerage", handle: answerStrikes },
  { method: "GET", path: "/iserver/secdef/info", tier: "brokerage", handle: answerInfo },
];

const typeOf = (query: URLSearchParams): string => (query.get("sectype") ?? query.get("secType") ?? "").toUpperCase();

function answerStrikes({ query, now }: SimRequest, session: Session, { market }: Simulation): SimReply {
  const month = query.get("month") ?? "";
  if (query.get("conid") === null || typeOf(query) === "") return failure(400, "Bad Request: conid and sectype are required");
  if (!isMonth(month)) return failure(400, "Bad Request: month is not valid");
  const instrument = readInstrument(market, query.get("conid"));
  const searched = instrument !== undefined && session.brokerage.searchedConids.has(instrument.conid);
  if (!searched || typeOf(query) !== "OPT" || expiriesIn(market, instrument, { month, now }).length === 0) return ok({ call: [], put: [] });
  const strikes = market.strikes(instrument.conid).map((strike) => rawNumber(strike.toFixed(1)));
  return ok({ call: strikes, put: strikes });
}

function expiriesIn(market: Market, underlying: SimInstrument, when: { readonly month: string; readonly now: number }) {
  return market.expiries(underlying.conid, when.now).filter((expiry) => monthOf(expiry) === when.month);
}

function answerInfo(request: SimRequest, session: Session, { market }: Simulation): SimReply {
  const { query, now } = request;
  if (query.get("conid") === null || typeOf(query) === "") return failure(400, "Bad Request: conid and sectype are required");
  const instrument = readInstrument(market, query.get("conid"));
  if (instrument === undefined) return failure(400, "Bad Request: conid is not valid");
  if (typeOf(query) === "FUT" && instrument.secType === "IND") return answerFutures(request, session, { market, underlying: instrument });
  if (typeOf(query) !== "OPT") return ok(typeOf(query) === instrument.secType ? [infoRow(instrument)] : []);
  const month = query.get("month") ?? "";
  const strike = Decimal.tryParsePlain(query.get("strike") ?? "");
  const right = query.get("right");
  if (!isMonth(month)) return failure(400, "Bad Request: month is not valid");
  if (strike === undefined) return failure(400, "Bad Request: strike is required");
  if (right !== null && right !== "C" && right !== "P") return failure(400, "Bad Request: right is not valid");
  if (!session.brokerage.searchedConids.has(instrument.conid)) return ok([]);
  const rights: readonly ("C" | "P")[] = right === null ? ["C", "P"] : [right];
  const found = expiriesIn(market, instrument, { month, now }).flatMap((expiry) =>
    rights.flatMap(
      (each) => market.option({ underlyingConid: instrument.conid, expiry, right: each, strike: strike.toApproximation() }) ?? [],
    ),
  );
  return ok(found.map(infoRow));
}

interface FuturesOf {
  readonly market: Market;
  readonly underlying: SimInstrument;
}

/** The futures on an underlying, of one month or all that are listed. */
function answerFutures({ query, now }: SimRequest, session: Session, { market, underlying }: FuturesOf): SimReply {
  const month = query.get("month") ?? "";
  if (month !== "" && !isMonth(month)) return failure(400, "Bad Request: month is not valid");
  if (!session.brokerage.searchedConids.has(underlying.conid)) return ok([]);
  const listed = market.futures(underlying.conid, now).filter((future) => month === "" || listedMonth(future) === month);
  return ok(listed.map(infoRow));
}

function infoRow(instrument: SimInstrument) {
  const { expiry, strike, right } = instrument;
  const isOption = expiry !== undefined && strike !== undefined && right !== undefined;
  const isFuture = instrument.secType === "FUT" && expiry !== undefined;
  return {
    conid: instrument.conid,
    symbol: instrument.symbol,
    secType: instrument.secType,
    exchange: instrument.validExchanges[0] ?? instrument.listingExchange,
    listingExchange: isOption || isFuture ? null : instrument.listingExchange,
    right: right ?? "?",
    strike: rawNumber(strike?.toFixed(1) ?? "0.0"),
    currency: instrument.currency,
    cusip: null,
    coupon: "No Coupon",
    desc1: instrument.symbol,
    desc2: isOption ? optionText(expiry, strike.toString(), right) : isFuture ? futureText(expiry) : instrument.name,
    maturityDate: expiry ?? null,
    multiplier: isOption || isFuture ? instrument.multiplier.toString() : "0",
    tradingClass: instrument.symbol,
    validExchanges: instrument.validExchanges.join(","),
  };
}
