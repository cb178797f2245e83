import { isRecord } from "../../../lib/json.ts";
import { failure, ok, type Route, type SimReply } from "../../http/route.ts";
import type { SimInstrument } from "../market.ts";
import { ALGORITHMS, type Algorithm } from "./algorithms.ts";
import { contractInfo, contractRules } from "./contract-info.ts";
import { readInstrument } from "./read-conid.ts";

const unknownConid = (): SimReply => failure(400, "Bad Request: conid is not valid");

/** What is known of one contract by its conid, and the rules for orders on it. */
export const contractRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/iserver/contract/{conid}/info",
    tier: "brokerage",
    handle: (request, _session, { market }) => {
      const instrument = readInstrument(market, request.params["conid"]);
      return instrument === undefined ? unknownConid() : ok(contractInfo(market, instrument));
    },
  },
  {
    method: "GET",
    path: "/iserver/contract/{conid}/info-and-rules",
    tier: "brokerage",
    handle: (request, session, { market }) => {
      const instrument = readInstrument(market, request.params["conid"]);
      if (instrument === undefined) return unknownConid();
      const isBuy = request.query.get("isBuy") !== "false";
      const rules = contractRules(market, instrument, { isBuy, accountIds: session.user.accountIds, now: request.now });
      return ok({ ...contractInfo(market, instrument), rules });
    },
  },
  {
    method: "POST",
    path: "/iserver/contract/rules",
    tier: "brokerage",
    handle: (request, session, { market }) => {
      const body = isRecord(request.body) ? request.body : {};
      const instrument = readInstrument(market, body["conid"]);
      if (instrument === undefined) return unknownConid();
      const isBuy = body["isBuy"] !== false;
      return ok(contractRules(market, instrument, { isBuy, accountIds: session.user.accountIds, now: request.now }));
    },
  },
  {
    method: "GET",
    path: "/iserver/contract/{conid}/algos",
    tier: "brokerage",
    handle: (request, _session, { market }) => {
      const instrument = readInstrument(market, request.params["conid"]);
      return instrument === undefined ? failure(503, "Service Unavailable") : algorithmsFor(instrument, request.query);
    },
  },
];

function algorithmsFor(instrument: SimInstrument, query: URLSearchParams): SimReply {
  const wanted = (query.get("algos") ?? "").split(";").filter((id) => id !== "");
  const offered = instrument.secType === "STK" ? ALGORITHMS : [];
  if (wanted.some((id) => !offered.some((algorithm) => algorithm.id === id))) return failure(503, "Service Unavailable");
  const chosen = wanted.length === 0 ? offered : offered.filter((algorithm) => wanted.includes(algorithm.id));
  const keys = ["name", "id"];
  if (query.get("addDescription") === "1") keys.push("description");
  if (query.get("addParams") === "1") keys.push("parameters");
  const shown = (algorithm: Algorithm) => Object.fromEntries(Object.entries(algorithm).filter(([key]) => keys.includes(key)));
  return ok({ algos: chosen.map(shown) });
}
