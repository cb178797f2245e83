import type { SimInstrument } from "../../market/market.ts";
import { fillRows, tradeRow } from "../../trading/order-rows.ts";
import type { Execution } from "../../trading/records.ts";
import { tradingDay } from "../../trading/trading-day.ts";
import type { TopicMessage } from "../frame.ts";
import type { Feed, Topic, TopicContext } from "../topic.ts";
import { readDays, DAY_MS } from "./days.ts";

/** `str+{"days":1}`: the user's executions, oldest first, then each as it happens, in two frames. */
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

  /** `read` is given each execution whose instrument is known. */
  function rowsOf<T>(
    executions: readonly Execution[],
    read: (execution: Execution, instrument: SimInstrument, userName: string) => T,
  ): T[] {
    return executions.flatMap((execution) => {
      const instrument = simulation.market.instrument(execution.conid);
      return instrument === undefined ? [] : [read(execution, instrument, session.user.userName)];
    });
  }

  return {
    key: "str",
    poll: () => {
      const found = executionsSince(since);
      const news = found.filter(({ executionId }) => !told.has(executionId));
      // Only executions of the same instant as the last one could come again.
      const latest = found.at(-1);
      if (latest !== undefined) since = latest.at;
      told = new Set(found.filter(({ at }) => at === latest?.at).map(({ executionId }) => executionId));
      if (opening) {
        opening = false;
        return [{ topic: "str", args: rowsOf(news, tradeRow) }];
      }
      const fills = rowsOf(news, fillRows);
      if (fills.length === 0) return [];
      return [
        { topic: "str", args: fills.map(([first]) => first) },
        { topic: "str", args: fills.map(([, followUp]) => followUp) },
      ];
    },
  };
}
