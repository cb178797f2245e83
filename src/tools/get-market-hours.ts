import { z } from "zod";

import { isRegularAmong, type MarketState, marketStateAt } from "../broker/market-session.ts";
import type { MarketHours } from "../broker/research.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { contractFields, contractRow, describe, resolveContract } from "./contract-argument.ts";
import { completeAnswer, type Field, isoTime, outputSchema } from "./envelope.ts";

/** Two weeks: a holiday and the days after it. */
const MAX_DAYS = 14;

/** `get_market_hours`: whether a contract trades now, and its sessions of the coming days. */
export const tool = defineTool({
  name: "get_market_hours",
  title: "Get market hours",
  description:
    'Whether a contract trades now, when regular hours open or close next, and sessions by day, in UTC. Example: {"symbol":"AAPL"}',
  scope: "read",
  annotations: READS,
  input: z.strictObject(contractFields),
  outputSchema: outputSchema({
    session: "text",
    next_open_at: "text",
    next_close_at: "text",
    columns: "texts",
    rows: "table",
    note: "text",
  }),
  async run(args, context) {
    const instrument = await resolveContract(context, args, "read");
    const hours = await context.broker.marketHours(instrument.conid, context.call);
    const now = context.clock.now();
    const state = marketStateAt(hours, now);
    const { regularOpensAt, regularClosesAt } = state;
    return completeAnswer(context, {
      text: `${describe(instrument)}: ${stateText(state)}.`,
      asOf: now,
      notes: [hours.days.length > MAX_DAYS ? `Showing ${MAX_DAYS} of ${hours.days.length} days.` : undefined],
      body: {
        ...contractRow(instrument),
        exchange: hours.exchange === "" ? instrument.exchange : hours.exchange,
        time_zone: hours.timeZone,
        session: state.session,
        next_open_at: regularOpensAt === undefined ? undefined : isoTime(regularOpensAt),
        next_close_at: regularClosesAt === undefined ? undefined : isoTime(regularClosesAt),
        columns: ["date", "session", "opens_at", "closes_at"],
        rows: sessionRows(hours),
      },
    });
  },
});

function sessionRows({ days }: MarketHours): readonly Field[] {
  const isRegular = isRegularAmong(days.flatMap((day) => day.sessions));
  return days.slice(0, MAX_DAYS).flatMap(({ date, sessions }) => {
    if (sessions.length === 0) return [[date, "closed", "", ""]];
    return sessions.map((session) => [
      date,
      isRegular(session) ? "regular" : "extended",
      isoTime(session.opensAt),
      isoTime(session.closesAt),
    ]);
  });
}

function stateText({ session, regularOpensAt, regularClosesAt }: MarketState): string {
  const next = regularOpensAt === undefined ? "" : `; regular hours from ${isoTime(regularOpensAt)}`;
  switch (session) {
    case "regular":
      return `open now, regular hours${regularClosesAt === undefined ? "" : ` until ${isoTime(regularClosesAt)}`}`;
    case "extended":
      return `open now outside of regular hours${next}`;
    case "closed":
      return `closed now${next}`;
  }
}
