import { tradeRow } from "../../trading/order-rows.ts";
import type { Execution } from "../../trading/records.ts";
import { tradingDay } from "../../trading/trading-day.ts";
import type { Frame, TopicMessage } from "../frame.ts";
import type { Feed, Topic, TopicContext } from "../topic.ts";
import { readDays, DAY_MS } from "./days.ts";

/** `str+{"days":1}`: the user's executions, oldest first, then each as it happens. */
export const tradesTopic: Topic = {
  name: "str",
  ends: "utr",
  tier: "brokerage",
  open: openTrades,
  matches: () => true,
  acknowledge: () => undefined,
};

function openTrades({ body }: TopicMessage, { session, simulation }: TopicContext, openedAt: number): Feed | string {
  const days = readDays(body["days"]);
  if (days === undefined) return "Bad Request: days is not valid";
  const updatesOnly = body["realtimeUpdatesOnly"] === true || body["realtimeUpdatesOnly"] === "true";
  let since = tradingDay(openedAt - (days - 1) * DAY_MS).startsAt;
  let told: ReadonlySet<string> = new Set(updatesOnly ? executionsSince(openedAt).map((each) => each.executionId) : []);
  if (updatesOnly) since = openedAt;
  let opening = true;

  function executionsSince(at: number): readonly Execution[] {
    const all = session.user.accountIds.flatMap((accountId) => simulation.trading.executions(accountId, at));
    return all.toSorted((a, b) => a.at - b.at);
  }

  function rowOf(execution: Execution): readonly Frame[] {
    const instrument = simulation.market.instrument(execution.conid);
    return instrument === undefined ? [] : [tradeRow(execution, instrument, session.user.userName)];
  }

  return {
    key: "str",
    poll: () => {
      const found = executionsSince(since);
      const args = found.filter(({ executionId }) => !told.has(executionId)).flatMap(rowOf);
      // Only executions of the same instant as the last one could come again.
      const latest = found.at(-1);
      if (latest !== undefined) since = latest.at;
      told = new Set(found.filter(({ at }) => at === latest?.at).map(({ executionId }) => executionId));
      if (!opening && args.length === 0) return [];
      opening = false;
      return [{ topic: "str", args }];
    },
  };
}
