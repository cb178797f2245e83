import { Decimal } from "../../../lib/decimal.ts";
import { priceText } from "../../trading/amounts.ts";
import type { Market, SimInstrument } from "../../market/market.ts";
import { Changes, isEmpty } from "../changes.ts";
import type { Frame, TopicMessage } from "../frame.ts";
import type { Feed, Topic, TopicContext } from "../topic.ts";

/** Prices above and below the market that a book shows. */
const LEVELS = 5;
/** Sizes grow away from the market by this much with each level. */
const GROWTH = Decimal.parse("0.35");

/** `sbd+<account>+<conid>+<exchange>`: the order book of one contract, highest price first, then the rows that changed. */
export const bookTopic: Topic = {
  name: "sbd",
  ends: "ubd",
  tier: "brokerage",
  open: openBook,
  matches: ({ keys }, key) => key === keys[0],
  acknowledge: () => undefined,
};

function openBook({ keys }: TopicMessage, { session, simulation }: TopicContext): Feed | string {
  const [accountId = "", conidText = ""] = keys;
  if (!session.user.accountIds.includes(accountId)) return `Bad Request: accountId is not valid: ${accountId.slice(0, 30)}`;
  const { market } = simulation;
  const instrument = /^\d{1,10}$/.test(conidText) ? market.instrument(Number(conidText)) : undefined;
  if (instrument === undefined || instrument.secType === "IND") return `Bad Request: conid is not valid: ${conidText.slice(0, 30)}`;
  const told = new Changes();
  return {
    key: accountId,
    poll: (now) => {
      const rows = bookRows(market, instrument, now).filter((row) => !isEmpty(told.of(String(row["row"]), row)));
      return rows.length === 0 ? [] : [{ topic: `sbd+${accountId}`, data: rows }];
    },
  };
}

/** The last price's row has the focus and tells price and size together; nothing is shown without a subscription or while closed. */
function bookRows(market: Market, instrument: SimInstrument, now: number): readonly Frame[] {
  if (instrument.availability === "none" || !market.isOpen(instrument.conid, now, true)) return [];
  const quote = market.quote(instrument.conid, now);
  const step = market.priceIncrement(instrument.conid, quote.last);
  const distance = (level: number): Decimal => step.times(Decimal.fromInteger(level));
  const size = (touch: Decimal, level: number): string =>
    touch.times(Decimal.one.plus(GROWTH.times(Decimal.fromInteger(level)))).toFixed(0);
  const levels = Array.from({ length: LEVELS }, (_, level) => level);
  const asks = levels.toReversed().map((level) => ({ price: quote.ask.plus(distance(level)), ask: size(quote.askSize, level), bid: "" }));
  const bids = levels
    .map((level) => ({ price: quote.bid.minus(distance(level)), ask: "", bid: size(quote.bidSize, level) }))
    .filter(({ price }) => price.isPositive());
  return [...asks, ...bids].map(({ price, ask, bid }, row) => {
    const text = priceText(instrument, price);
    const isLast = price.equals(quote.last);
    return { row, focus: isLast ? 1 : 0, price: isLast ? `${text} @ 100` : text, bid, ask };
  });
}
