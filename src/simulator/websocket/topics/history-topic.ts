import { isRecord } from "../../../lib/json.ts";
import { historyChart } from "../../market/market-data/history-routes.ts";
import type { Frame, TopicMessage } from "../frame.ts";
import type { Feed, Topic, TopicContext } from "../topic.ts";

/** Charts that one connection may keep open. */
const MAX_CHARTS = 5;
/** How often a chart is drawn again to see which of its bars are new. */
const DRAW_EVERY_MS = 5_000;
/** Letters of `format` (`%o/%c/%h/%l/%v`) and the parts of a bar that they stand for. */
const FORMAT = /%([ochlv])/g;

/** `smh+<conid>+{"period":…,"bar":…}`: a chart as the history endpoint gives it, then its new and growing bars. */
export const historyTopic: Topic = {
  name: "smh",
  ends: "umh",
  tier: "brokerage",
  most: { feeds: MAX_CHARTS, refusal: "Too many history charts requests, please try again later." },
  open: openChart,
  matches: ({ keys }, key) => key === keys[0],
  acknowledge: ({ keys }) => ({ message: `Unsubscribed ${keys[0] ?? ""}` }),
};

function openChart({ keys, body }: TopicMessage, { simulation, serial }: TopicContext, now: number): Feed | string {
  const [conidEx = ""] = keys;
  const [conid = ""] = conidEx.split("@");
  const query = new URLSearchParams({ conid });
  for (const name of ["period", "bar", "exchange", "source", "startTime"]) {
    const value = body[name];
    if (typeof value === "string") query.set(name, value);
  }
  if (body["outsideRth"] === true || body["outsideRth"] === "true") query.set("outsideRth", "true");
  const shown = typeof body["format"] === "string" ? lettersOf(body["format"]) : undefined;
  const draw = (at: number): Chart | string => chartOf(query, at, { market: simulation.market, shown });
  const first = draw(now);
  if (typeof first === "string") return first;
  const serverId = String(serial);
  const topic = `smh+${conidEx}`;
  let drawnAt: number | undefined;
  let told = new Map<unknown, string>();

  return {
    key: serverId,
    poll: (at) => {
      if (drawnAt !== undefined && at - drawnAt < DRAW_EVERY_MS) return [];
      const chart = draw(at);
      if (typeof chart === "string") return [];
      const opening = drawnAt === undefined;
      drawnAt = at;
      const texts = new Map(chart.data.map((bar) => [bar["t"], JSON.stringify(bar)]));
      const fresh = chart.data.filter((bar) => told.get(bar["t"]) !== texts.get(bar["t"]));
      told = texts;
      if (opening) return [{ ...chart.reply, serverId, topic }];
      return fresh.length === 0 ? [] : [{ serverId, topic, data: fresh }];
    },
  };
}

interface Chart {
  readonly reply: Frame;
  readonly data: readonly Frame[];
}

interface Drawing {
  readonly market: TopicContext["simulation"]["market"];
  readonly shown: ReadonlySet<string> | undefined;
}

function chartOf(query: URLSearchParams, at: number, { market, shown }: Drawing): Chart | string {
  const reply = historyChart(query, at, market);
  if (!("json" in reply) || !isRecord(reply.json)) return "Chart data unavailable";
  const { error, data } = reply.json;
  if (typeof error === "string") return error;
  const bars = (Array.isArray(data) ? data.filter((bar) => isRecord(bar)) : []).map((bar) => partsOf(bar, shown));
  return { reply: { ...reply.json, data: bars }, data: bars };
}

function partsOf(bar: Frame, shown: ReadonlySet<string> | undefined): Frame {
  if (shown === undefined) return bar;
  return Object.fromEntries(Object.entries(bar).filter(([name]) => name === "t" || shown.has(name)));
}

function lettersOf(format: string): ReadonlySet<string> | undefined {
  const letters = [...format.matchAll(FORMAT)].map((match) => match[1] ?? "");
  return letters.length === 0 ? undefined : new Set(letters);
}
