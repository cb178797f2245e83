import { isRecord } from "../../lib/json.ts";
import { failure, ok } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import { contractDescription } from "../market/contracts/security-definition.ts";
import { readInstrument } from "../market/contracts/read-conid.ts";
import type { Market } from "../market/market.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import type { Documents, StoredDocument } from "./documents.ts";

/** Rows of one list. */
const MAX_ROWS = 200;
const UNAVAILABLE = failure(503, "Service Unavailable");

/** Makes the endpoints of watchlists (reference H.2). */
export function createWatchlistRoutes(documents: Documents): readonly Route[] {
  // The first read of a list in a session is sparse.
  const read = new WeakMap<Session["brokerage"], Set<number>>();

  function save({ body, now }: SimRequest, { user }: Session): SimReply {
    if (!isRecord(body) || Object.keys(body).length === 0) return failure(400, "Bad Request: body can't be empty");
    const id = idOf(body["id"]);
    const { name } = body;
    if (id === undefined || typeof name !== "string" || name === "") return UNAVAILABLE;
    const rows = Array.isArray(body["rows"]) ? body["rows"].filter((row) => isRecord(row)).slice(0, MAX_ROWS) : [];
    if (!documents.put("watchlist", user.userName, { id, body: { name, rows, modified: now } })) return UNAVAILABLE;
    return ok({ id: String(id), hash: String(now), name, readOnly: false, instruments: [] });
  }

  function list(_request: SimRequest, { user }: Session): SimReply {
    const lists = documents.list("watchlist", user.userName).map(({ id, body }) => ({
      is_open: false,
      read_only: false,
      name: body["name"],
      modified: body["modified"],
      id: String(id),
      type: "watchlist",
    }));
    const data = { scanners_only: false, system_lists: false, show_scanners: false, bulk_delete: false, user_lists: lists };
    return ok({ data, action: "content", MID: "1" });
  }

  function show({ query }: SimRequest, session: Session, { market }: Simulation): SimReply {
    const id = idOf(query.get("id"));
    const found = id === undefined ? undefined : documents.get("watchlist", session.user.userName, id);
    if (found === undefined) return UNAVAILABLE;
    const known = read.get(session.brokerage) ?? new Set();
    const whole = known.has(found.id);
    read.set(session.brokerage, known.add(found.id));
    const { name, modified } = found.body;
    return ok({
      id: String(found.id),
      hash: String(modified),
      name,
      readOnly: false,
      instruments: instrumentsOf(found, { market, whole }),
    });
  }

  function remove({ query }: SimRequest, { user }: Session): SimReply {
    const text = query.get("id") ?? "";
    const id = idOf(text);
    if (id !== undefined) documents.remove("watchlist", user.userName, id);
    return ok({ data: { deleted: text }, action: "context", MID: "2" });
  }

  return [
    { method: "POST", path: "/iserver/watchlist", tier: "brokerage", handle: save },
    { method: "GET", path: "/iserver/watchlists", tier: "brokerage", handle: list },
    { method: "GET", path: "/iserver/watchlist", tier: "brokerage", handle: show },
    { method: "DELETE", path: "/iserver/watchlist", tier: "brokerage", handle: remove },
  ];
}

function idOf(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function instrumentsOf({ body }: StoredDocument, { market, whole }: { readonly market: Market; readonly whole: boolean }) {
  const rows = Array.isArray(body["rows"]) ? body["rows"].filter((row) => isRecord(row)) : [];
  return rows.flatMap((row): readonly Record<string, unknown>[] => {
    if ("H" in row) return [{ H: row["H"] }];
    const instrument = readInstrument(market, row["C"]);
    if (instrument === undefined) return [];
    const { conid, name, secType, symbol } = instrument;
    if (!whole) return [{ C: String(conid), conid, name }];
    const fullName = contractDescription(instrument);
    return [{ ST: secType, C: String(conid), conid, name, fullName, assetClass: secType, ticker: symbol, chineseName: null }];
  });
}
