import { Changes, isEmpty } from "../changes.ts";
import type { Frame, TopicMessage } from "../frame.ts";
import { profitOf } from "../../trading/profit.ts";
import type { Feed, Topic, TopicContext } from "../topic.ts";

/** How often profit and loss are computed. */
const EVERY_MS = 1_000;

/** `spl+{}`: each account's profit and loss of the day, and again when it changes. */
export const profitTopic: Topic = {
  name: "spl",
  ends: "upl",
  tier: "sso",
  open: openProfit,
  matches: () => true,
  acknowledge: () => undefined,
};

function openProfit(_message: TopicMessage, { session, simulation }: TopicContext): Feed {
  const told = new Changes();
  let polledAt: number | undefined;
  // From here on REST answers too.
  session.brokerage.pnlPrimed = true;
  return {
    key: "spl",
    poll: (now) => {
      if (polledAt !== undefined && now - polledAt < EVERY_MS) return [];
      polledAt = now;
      const rows = session.user.accountIds.flatMap((accountId): readonly (readonly [string, Frame])[] => {
        const { el, ...figures } = profitOf(simulation.trading.valuation(accountId, now));
        const row = { ...figures, uel: el };
        return isEmpty(told.of(accountId, row)) ? [] : [[`${accountId}.Core`, row]];
      });
      return rows.length === 0 ? [] : [{ topic: "spl", args: Object.fromEntries(rows) }];
    },
  };
}
