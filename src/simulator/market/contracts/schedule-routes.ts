import { failure, ok, type Route, type SimReply, type SimRequest } from "../../http/route.ts";
import type { Session } from "../../session/session.ts";
import type { Simulation } from "../../simulation.ts";
import type { SimInstrument } from "../market.ts";
import { readInstrument } from "./read-conid.ts";
import { tradingSchedule, weeklySchedule } from "./schedule.ts";

/** Trading hours, in the old form by ticker and in the newer one by conid. */
export const scheduleRoutes: readonly Route[] = [
  { method: "GET", path: "/trsrv/secdef/schedule", tier: "sso", handle: answerWeeklySchedule },
  {
    method: "GET",
    path: "/contract/trading-schedule",
    tier: "sso",
    handle: ({ query, now }, _session, { market }) => {
      const instrument = readInstrument(market, query.get("conid"));
      if (instrument === undefined) return failure(400, "Bad Request: conid is not valid");
      return ok(tradingSchedule(market.calendar(instrument.conid), now));
    },
  },
];

function answerWeeklySchedule({ query, now }: SimRequest, _session: Session, { market }: Simulation): SimReply {
  const symbol = query.get("symbol")?.toUpperCase() ?? "";
  const assetClass = query.get("assetClass")?.toUpperCase() ?? "";
  if (symbol === "" || assetClass === "") return failure(400, "Bad Request: assetClass and symbol are required");
  const wanted = [query.get("exchange"), ...(query.get("exchangeFilter")?.split(",") ?? [])].flatMap((name) =>
    name === null || name === "" ? [] : [exchangeName(name)],
  );
  // A future's hours are those of what it is on.
  const isOfClass = ({ secType, conid }: SimInstrument): boolean =>
    secType === assetClass || (assetClass === "FUT" && market.futures(conid, now).length > 0);
  const listed = market.all().filter((each) => each.symbol === symbol && isOfClass(each));
  const chosen = listed.filter((each) => wanted.length === 0 || wanted.some((name) => each.validExchanges.includes(name)));
  const venues = chosen.map((instrument) => {
    const calendar = market.calendar(instrument.conid);
    const exchange = instrument.listingExchange;
    return {
      id: `p${instrument.conid}`,
      tradeVenueId: `v${instrument.conid}`,
      exchange,
      description: exchange,
      timezone: calendar.zone,
      schedules: weeklySchedule(calendar, now),
    };
  });
  return ok(venues);
}

/** IBKR still knows Nasdaq by the name of its old order book. */
function exchangeName(name: string): string {
  return name.toUpperCase() === "ISLAND" ? "NASDAQ" : name.toUpperCase();
}
