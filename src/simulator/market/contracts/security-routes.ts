import { failure, ok, type Route } from "../../http/route.ts";
import { compactDate, parseCompactDate } from "../calendar/civil-date.ts";
import type { Market, SimInstrument } from "../market.ts";
import { readInstrument } from "./read-conid.ts";
import { readList } from "./read-list.ts";
import { securityDefinition } from "./security-definition.ts";

/** `/trsrv/secdef` takes no more conids than this. */
const MAX_CONIDS = 200;

/** The security master of the read-only tier: `/trsrv/…`, which needs no brokerage session. */
export const securityRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/trsrv/stocks",
    tier: "sso",
    handle: (request, _session, { market }) => {
      const symbols = readList(request.query.get("symbols"));
      if (symbols.length === 0) return failure(400, "Bad Request: symbols is required");
      return ok(Object.fromEntries(symbols.map((symbol) => [symbol, companiesOf(market, symbol)])));
    },
  },
  {
    method: "GET",
    path: "/trsrv/futures",
    tier: "sso",
    handle: (request, _session, { market }) => {
      const symbols = readList(request.query.get("symbols"));
      if (symbols.length === 0) return failure(400, "Bad Request: symbols is required");
      return ok(Object.fromEntries(symbols.map((symbol) => [symbol, futuresOf(market, symbol, request.now)])));
    },
  },
  {
    method: "GET",
    path: "/trsrv/all-conids",
    tier: "sso",
    handle: (request, _session, { market }) => {
      const exchange = request.query.get("exchange");
      if (exchange === null || exchange === "") return failure(400, "Bad Request: exchange is required");
      const listed = market.all().filter((each) => each.secType === "STK" && each.listingExchange === exchange.toUpperCase());
      return ok(listed.map(({ symbol, conid, listingExchange }) => ({ ticker: symbol, conid, exchange: listingExchange })));
    },
  },
  {
    method: "GET",
    path: "/trsrv/secdef",
    tier: "sso",
    handle: (request, _session, { market }) => {
      const conids = readList(request.query.get("conids"));
      if (conids.length === 0) return failure(400, "Bad Request: conids is required");
      if (conids.length > MAX_CONIDS) return failure(400, `Bad Request: more than ${MAX_CONIDS} conids`);
      const found = conids.flatMap((conid) => readInstrument(market, conid) ?? []);
      return ok({ secdef: found.map((instrument) => securityDefinition(market, instrument)) });
    },
  },
];

/** The futures of a symbol. Those on an index trade for the last time on the day before they are settled. */
function futuresOf(market: Market, symbol: string, now: number) {
  const underlyings = market.all().filter((each) => each.secType === "IND" && each.symbol === symbol.toUpperCase());
  return underlyings.flatMap((underlying) =>
    market.futures(underlying.conid, now).map((future) => {
      const last = parseCompactDate(future.expiry ?? "") ?? 0;
      const settlesLater = underlying.sector === "Indices";
      const ltd = Number(compactDate(settlesLater ? market.calendar(future.conid).previousTradingDay(last) : last));
      return {
        symbol: future.symbol,
        conid: future.conid,
        underlyingConid: underlying.conid,
        expirationDate: Number(future.expiry),
        ltd,
        shortFuturesCutOff: ltd,
        longFuturesCutOff: ltd,
      };
    }),
  );
}

/** The listings of a ticker, those of one company together. */
function companiesOf(market: Market, symbol: string) {
  const listed = market.all().filter((each) => each.secType === "STK" && each.symbol === symbol.toUpperCase());
  const byName = Map.groupBy(listed, (instrument: SimInstrument) => instrument.name);
  return [...byName].map(([name, listings]) => ({
    name,
    chineseName: null,
    assetClass: "STK",
    contracts: listings.map(({ conid, listingExchange, countryCode }) => ({
      conid,
      exchange: listingExchange,
      isUS: countryCode === "US",
    })),
  }));
}
