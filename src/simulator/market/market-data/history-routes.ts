import { failure, ok, refusal, type Route, type SimReply } from "../../http/route.ts";
import { parseCompactDate, DAY_MS } from "../calendar/civil-date.ts";
import { readInstrument } from "../contracts/read-conid.ts";
import type { Market, SimInstrument } from "../market.ts";
import { historyBars } from "./history-bars.ts";
import { chooseBar, readPeriod } from "./history-period.ts";
import { historyReply } from "./history-reply.ts";
import { DELAY_MS, frozenAt } from "./shown-quote.ts";

const DEFAULT_PERIOD = "1d";

/** The past of an instrument as bars. */
export const historyRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/iserver/marketdata/history",
    tier: "brokerage",
    pacing: { concurrent: 5 },
    handle: ({ query, now }, _session, { market }) => historyChart(query, now, market),
  },
];

/** Answers the history of an instrument for the parameters of the endpoint; the socket's `smh` topic begins with the same. */
export function historyChart(query: URLSearchParams, now: number, market: Market): SimReply {
  if ((query.get("conid") ?? "") === "") return failure(400, "Bad Request: conid is required");
  const periodText = query.get("period") ?? DEFAULT_PERIOD;
  const period = readPeriod(periodText);
  if (period === undefined) return failure(400, `Bad Request: invalid period ${periodText.slice(0, 20)}`);
  const bar = chooseBar(period, query.get("bar") ?? undefined);
  if (bar === undefined) return failure(400, "Bad Request: invalid bar for this period");
  const startTime = query.get("startTime");
  const until = startTime === null ? now : readStartTime(startTime);
  if (until === undefined) return failure(400, "Bad Request: startTime is not valid");
  // Charts only look backwards from startTime.
  if (query.get("direction") === "1") return refusal("Chart data unavailable");
  const instrument = readInstrument(market, query.get("conid"));
  if (instrument === undefined || !hasChart(market, instrument, now)) return failure(500, "Chart data unavailable");
  const outsideRth = query.get("outsideRth") === "true";
  const end = Math.min(until, latestShown(market, instrument, now));
  const source = (query.get("source") ?? "Trades").toLowerCase();
  return ok(
    historyReply(market, instrument, {
      bars: historyBars(market, { conid: instrument.conid, period, bar, until: end, outsideRth }),
      period: periodText,
      bar,
      outsideRth,
      withVolume: source === "trades" || source === "last",
      until: end,
      delaySeconds: instrument.availability === "delayed" ? DELAY_MS / 1000 : 0,
    }),
  );
}

/** No chart without a subscription, and none of an option that has expired. */
function hasChart(market: Market, { conid, availability, expiry }: SimInstrument, now: number): boolean {
  if (availability === "none") return false;
  const lastDay = expiry === undefined ? undefined : parseCompactDate(expiry);
  return lastDay === undefined || now < (market.calendar(conid).session(lastDay)?.closesAt ?? 0);
}

function latestShown(market: Market, { conid, availability }: SimInstrument, now: number): number {
  if (availability === "delayed") return now - DELAY_MS;
  return availability === "frozen" ? frozenAt(market, conid, now) : now;
}

/** Reads `YYYYMMDD-HH:mm:ss` in UTC. */
function readStartTime(text: string): number | undefined {
  const match = /^(\d{8})-([01]\d|2[0-3]):([0-5]\d):([0-5]\d)$/.exec(text);
  const day = match === null ? undefined : parseCompactDate(match[1] ?? "");
  if (match === null || day === undefined) return undefined;
  return day * DAY_MS + (Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4])) * 1000;
}
