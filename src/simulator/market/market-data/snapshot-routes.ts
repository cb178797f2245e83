import { failure, ok, type Route, type SimReply, type SimRequest } from "../../http/route.ts";
import type { Session } from "../../session/session.ts";
import type { Simulation } from "../../simulation.ts";
import { positionFigures } from "../../trading/position-figures.ts";
import { readList } from "../contracts/read-list.ts";
import { snapshotRow } from "./snapshot-row.ts";
import { closeStream, pollStream } from "./streams.ts";

const MAX_CONIDS = 100;
const MAX_FIELDS = 50;

/** Quotes: the snapshot with its pre-flight, and the ends of the streams that it opens. */
export const snapshotRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/iserver/marketdata/snapshot",
    tier: "brokerage",
    pacing: { requests: 10, perMs: 1000 },
    handle: answerSnapshot,
  },
  { method: "POST", path: "/iserver/marketdata/unsubscribe", tier: "brokerage", handle: answerUnsubscribe },
  {
    method: "GET",
    path: "/iserver/marketdata/unsubscribeall",
    tier: "brokerage",
    handle: (_request, session) => {
      session.brokerage.streams.clear();
      return ok({ unsubscribed: true });
    },
  },
];

function answerSnapshot(request: SimRequest, session: Session, simulation: Simulation): SimReply {
  if (!session.brokerage.accountsPrimed) return failure(500, "Please query /accounts first");
  const conids = readList(request.query.get("conids"));
  const fields = [...new Set(readList(request.query.get("fields")))];
  if (conids.length === 0) return failure(400, "Bad Request: conids is required");
  if (conids.length > MAX_CONIDS) return failure(400, `Bad Request: more than ${MAX_CONIDS} conids`);
  if (fields.length > MAX_FIELDS) return failure(400, `Bad Request: more than ${MAX_FIELDS} fields`);
  if (conids.some((conid) => !/^\d{1,10}(?:@[A-Z0-9.]+)?$/i.test(conid))) return failure(400, "Bad Request: conids is not valid");
  return ok(conids.map((conidEx) => rowOf(conidEx, { fields, now: request.now, session, simulation })));
}

interface RowRequest {
  readonly fields: readonly string[];
  readonly now: number;
  readonly session: Session;
  readonly simulation: Simulation;
}

function rowOf(conidEx: string, { fields, now, session, simulation }: RowRequest) {
  const conid = Number(conidEx.split("@")[0]);
  const bare = { conidEx, conid };
  const { market } = simulation;
  const instrument = market.instrument(conid);
  if (instrument === undefined) return bare;
  const { underlyingConid } = instrument;
  if (underlyingConid !== undefined && !session.brokerage.searchedConids.has(underlyingConid)) return bare;
  const polls = pollStream(session.brokerage.streams, conid, now);
  if (polls === undefined || polls === 1) return bare;
  const valuation = () => simulation.trading.valuation(session.brokerage.selectedAccountId, now);
  const position = () => positionFigures(valuation(), conid);
  return { ...bare, server_id: `q${conid % 10}`, ...snapshotRow(market, instrument, { fields, now, polls, position }) };
}

function answerUnsubscribe({ body }: SimRequest, session: Session): SimReply {
  const conid = typeof body === "object" && body !== null && "conid" in body ? Number(body.conid) : Number.NaN;
  return closeStream(session.brokerage.streams, conid) ? ok({ success: true }) : failure(500, "unknown");
}
