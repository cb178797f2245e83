import { isRecord } from "../../../lib/json.ts";
import { failure, ok, type Route, type SimReply, type SimRequest } from "../../http/route.ts";
import type { Session } from "../../session/session.ts";
import type { Simulation } from "../../simulation.ts";
import type { Market, SimInstrument } from "../market.ts";
import { listedMonth, monthOf } from "./option-months.ts";

/** Most rows of an answer. */
const MAX_ROWS = 50;

interface Search {
  readonly text: string;
  readonly byName: boolean;
  readonly secType: string | undefined;
  readonly now: number;
}

/** Looking up contracts by ticker or company name: section D of IBKR's API, the part before a conid is known. */
export const searchRoutes: readonly Route[] = [
  { method: "GET", path: "/iserver/secdef/search", tier: "brokerage", handle: answerSearch },
  { method: "POST", path: "/iserver/secdef/search", tier: "brokerage", handle: answerSearch },
];

function answerSearch(request: SimRequest, session: Session, { market }: Simulation): SimReply {
  const search = readSearch(request);
  if (search.text === "") return failure(400, "Bad Request: symbol is required");
  const found = findInstruments(market, search).slice(0, MAX_ROWS);
  // Strikes fail after a search by name: only one by symbol opens the way to the derivatives.
  if (!search.byName) for (const instrument of found) session.brokerage.searchedConids.add(instrument.conid);
  return ok(found.map((instrument) => searchRow(market, instrument, request.now)));
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

function readSearch({ body, query, now }: SimRequest): Search {
  const fields = isRecord(body) ? body : Object.fromEntries(query);
  const secType = text(fields["secType"]).toUpperCase();
  return {
    text: text(fields["symbol"]),
    byName: fields["name"] === true || fields["name"] === "true",
    secType: secType === "" ? undefined : secType,
    now,
  };
}

function findInstruments(market: Market, search: Search): readonly SimInstrument[] {
  const wanted = search.text.toUpperCase();
  const words = wanted.split(/\s+/);
  const matches = (instrument: SimInstrument): boolean => {
    if (search.byName) return words.every((word) => instrument.name.toUpperCase().includes(word));
    if (instrument.secType === "CASH" && instrument.name === wanted.replace("/", ".")) return true;
    return instrument.symbol.toUpperCase() === wanted;
  };
  return market.all().filter((instrument) => matches(instrument) && isOfType(market, instrument, search));
}

function isOfType(market: Market, instrument: SimInstrument, { secType, now }: Pick<Search, "secType" | "now">): boolean {
  if (secType === undefined || secType === instrument.secType) return true;
  if (secType === "FUT") return market.futures(instrument.conid, now).length > 0;
  return secType === "OPT" && market.strikes(instrument.conid).length > 0;
}

function searchRow(market: Market, instrument: SimInstrument, now: number) {
  const { listingExchange } = instrument;
  return {
    conid: String(instrument.conid),
    companyHeader: `${instrument.name} - ${listingExchange}`,
    companyName: instrument.name,
    symbol: instrument.symbol,
    description: listingExchange,
    restricted: instrument.secType === "IND" ? "IND" : null,
    sections: sectionsOf(market, instrument, now),
  };
}

function sectionsOf(market: Market, instrument: SimInstrument, now: number) {
  const own = { secType: instrument.secType };
  const months = [...new Set(market.expiries(instrument.conid, now).map(monthOf))];
  if (months.length > 0) return [own, { secType: "OPT", months: months.join(";"), exchange: "SMART;AMEX;CBOE" }, { secType: "BAG" }];
  const futures = market.futures(instrument.conid, now);
  if (futures.length > 0) {
    const exchange = `${instrument.listingExchange};`;
    return [
      { ...own, exchange },
      { secType: "FUT", months: futures.map(listedMonth).join(";"), exchange },
    ];
  }
  return instrument.secType === "STK" ? [own] : [{ ...own, exchange: `${instrument.listingExchange};` }];
}
