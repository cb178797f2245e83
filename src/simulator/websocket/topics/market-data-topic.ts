import type { SimInstrument } from "../../market/market.ts";
import type { PositionFigures } from "../../market/market-data/position-figures.ts";
import { SNAPSHOT_FIELDS } from "../../market/market-data/snapshot-fields.ts";
import { snapshotRow } from "../../market/market-data/snapshot-row.ts";
import { closeStream, holdStream } from "../../market/market-data/streams.ts";
import { positionFigures } from "../../trading/position-figures.ts";
import { Changes, isEmpty } from "../changes.ts";
import { textsOf } from "../frame.ts";
import type { Frame, TopicMessage } from "../frame.ts";
import type { Feed, Topic, TopicContext } from "../topic.ts";

/** A subscription ends after this long; the client sends it again. */
const LIFETIME_MS = 600_000;
/** How often fundamentals, averages and Greeks are looked at again: they change slowly and cost the most. */
const SLOW_EVERY_MS = 5_000;
/** Fields of one subscription, as in a snapshot. */
const MAX_FIELDS = 50;

/** `smd+<conid>+{"fields":[…]}`: the fields of a quote, whole at first, then those that changed. */
export const marketDataTopic: Topic = {
  name: "smd",
  ends: "umd",
  tier: "brokerage",
  open: openMarketData,
  matches: ({ keys }, key) => key === keys[0],
  acknowledge: () => undefined,
};

function openMarketData({ keys, body }: TopicMessage, { session, simulation }: TopicContext, now: number): Feed | string {
  const [conidEx = ""] = keys;
  if (!/^\d{1,10}(?:@[A-Z0-9.]+)?$/i.test(conidEx)) return `Bad Request: conid is not valid: ${conidEx.slice(0, 30)}`;
  const fields = [...new Set(textsOf(body["fields"]))];
  if (fields.length > MAX_FIELDS) return `Bad Request: more than ${MAX_FIELDS} fields`;
  const conid = Number(conidEx.split("@")[0]);
  const instrument = simulation.market.instrument(conid);
  const { streams, searchedConids } = session.brokerage;
  const quiet = instrument === undefined || (instrument.underlyingConid !== undefined && !searchedConids.has(instrument.underlyingConid));
  const told = new Changes();
  const head = { server_id: `q${conid % 10}`, conidEx, conid };
  const topic = `smd+${conidEx}`;
  const slow = fields.filter((field) => isSlow(field));
  const prompt = fields.filter((field) => !isSlow(field));
  let slowAt = 0;

  function rowAt(known: SimInstrument, at: number): Frame {
    const dueSlow = at - slowAt >= SLOW_EVERY_MS;
    if (dueSlow) slowAt = at;
    const position = (): PositionFigures | undefined =>
      positionFigures(simulation.trading.valuation(session.brokerage.selectedAccountId, at), conid);
    const { _updated, ...row } = snapshotRow(simulation.market, known, { fields: prompt, now: at, polls: 3, position });
    const late = dueSlow ? snapshotRow(simulation.market, known, { fields: slow, now: at, polls: 3, position }) : {};
    const changed = { ...told.of("prompt", row), ...(dueSlow ? lateChanges(late) : {}) };
    return isEmpty(changed) ? {} : { ...head, _updated, "6119": head.server_id, ...changed, topic };
  }

  function lateChanges({ _updated, "6119": _marker, "6509": _availability, ...row }: Frame): Frame {
    return told.of("slow", row);
  }

  return {
    key: conidEx,
    endsAt: now + LIFETIME_MS,
    poll: (at) => {
      if (quiet) return told.isKnown("prompt") ? [] : [{ ...told.of("prompt", { conidEx, conid }), topic }];
      // Over the limit of market data lines a contract stays silent.
      if (!holdStream(streams, conid, at)) return [];
      // Trading in it may have been halted or resumed since.
      const frame = rowAt(simulation.market.instrument(conid) ?? instrument, at);
      return isEmpty(frame) ? [] : [frame];
    },
    close: () => closeStream(streams, conid),
  };
}

function isSlow(field: string): boolean {
  return Object.hasOwn(SNAPSHOT_FIELDS, field) && SNAPSHOT_FIELDS[field]?.poll === 3 && !QUICK.has(field);
}

/** Fields that arrive late in a snapshot but move with every trade. */
const QUICK: ReadonlySet<string> = new Set(["87", "7762", "7682"]);
