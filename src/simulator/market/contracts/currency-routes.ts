import { rawNumber } from "../../../lib/json.ts";
import { failure, ok, type Route } from "../../http/route.ts";

/** Currency pairs and the rates between currencies. */
export const currencyRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/iserver/currency/pairs",
    tier: "brokerage",
    handle: ({ query }, _session, { market }) => {
      const currency = (query.get("currency") ?? "").toUpperCase();
      if (currency === "") return failure(400, "Bad Request: currency is required");
      const pairs = market.all().filter((pair) => pair.secType === "CASH" && (pair.symbol === currency || pair.currency === currency));
      const rows = pairs.map((pair) => ({
        symbol: pair.name,
        conid: pair.conid,
        ccyPair: pair.symbol === currency ? pair.currency : pair.symbol,
      }));
      return ok({ [currency]: rows });
    },
  },
  {
    method: "GET",
    path: "/iserver/exchangerate",
    tier: "brokerage",
    handle: ({ query, now }, _session, { market }) => {
      const [source = "", target = ""] = ["source", "target"].map((name) => (query.get(name) ?? "").toUpperCase());
      if (source === "" || target === "") return failure(400, "Bad Request: source and target are required");
      const known = new Set(market.all().flatMap((pair) => (pair.secType === "CASH" ? [pair.symbol, pair.currency] : [])));
      if (!known.has(source) || !known.has(target)) return failure(400, `Bad Request: unknown currency pair ${source}.${target}`);
      return ok({ rate: rawNumber(market.rate(source, target, now).toString()) });
    },
  },
];
