import type { SimOrder } from "../../trading/records.ts";
import { liveOrderRow } from "../../trading/order-rows.ts";
import { tradingDay } from "../../trading/trading-day.ts";
import { Changes, isEmpty } from "../changes.ts";
import { textsOf } from "../frame.ts";
import type { Frame, TopicMessage } from "../frame.ts";
import type { Feed, Topic, TopicContext } from "../topic.ts";
import { readDays, DAY_MS } from "./days.ts";

/** `sor+{}`: the user's orders of today as whole rows, then what changes of each, by `orderId`. */
export const ordersTopic: Topic = {
  name: "sor",
  ends: "uor",
  tier: "brokerage",
  open: openOrders,
  matches: () => true,
  acknowledge: () => undefined,
};

function openOrders({ body }: TopicMessage, { session, simulation }: TopicContext): Feed | string {
  const days = readDays(body["days"]);
  if (days === undefined) return "Bad Request: days is not valid";
  const wanted = new Set(textsOf(body["filters"]).map(plain));
  const told = new Changes();
  /** Orders that are done, by when they were last changed: nothing about them changes with time any more. */
  let done: ReadonlyMap<number, number> = new Map();
  let opening = true;

  function rowOf(order: SimOrder, now: number): Frame | undefined {
    const { market } = simulation;
    const instrument = market.instrument(order.conid);
    return instrument === undefined ? undefined : liveOrderRow(order, { market, instrument, now });
  }

  function changesOf(order: SimOrder, now: number): readonly Frame[] {
    const row = rowOf(order, now);
    const key = String(order.id);
    if (row === undefined || (wanted.size > 0 && !wanted.has(plain(String(row["status"]))) && !told.isKnown(key))) return [];
    const changed = told.of(key, row);
    return isEmpty(changed) ? [] : [{ ...changed, orderId: order.id }];
  }

  return {
    key: "sor",
    poll: (now) => {
      // A filtered REST call mutes the topic; what happened meanwhile is told once it is heard again.
      if (session.brokerage.ordersMuted) return [];
      const since = tradingDay(now - (days - 1) * DAY_MS).startsAt;
      const orders = session.user.accountIds.flatMap((accountId) => simulation.trading.orders(accountId, since));
      const args = orders.filter(({ id, updatedAt }) => done.get(id) !== updatedAt).flatMap((order) => changesOf(order, now));
      done = new Map(orders.flatMap(({ id, state, updatedAt }) => (state === "working" ? [] : [[id, updatedAt]])));
      told.keep(orders.map((order) => String(order.id)));
      if (!opening && args.length === 0) return [];
      opening = false;
      return [{ topic: "sor", args }];
    },
  };
}

/** A state's name without its case and underscores. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}
