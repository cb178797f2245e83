import type { CallOptions } from "../broker/broker.ts";
import type { Instrument } from "../broker/instrument.ts";
import type { MarketHours } from "../broker/research.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Api } from "./api.ts";
import type { Contracts } from "./contracts.ts";
import { readReply } from "./endpoints/reply.ts";
import * as wire from "./endpoints/trading-schedule.ts";
import { ianaZone, zoneOfExchange } from "./exchange-zones.ts";
import { KeptReads } from "./kept-reads.ts";
import { addDays, zonedClock } from "./zoned-clock.ts";

type Day = MarketHours["days"][number];

/** Hours change once a day, when a further day comes into view. */
const KEPT = { maxEntries: 1000, freshMs: 3_600_000, keptMs: 6 * 3_600_000 };
/** Days that are worked out of the older form: as many as the newer one tells. */
const DAYS = 10;
/** A list of days longer than this is cut. */
const MAX_DAYS = 60;
/** How IBKR fails where it has no schedule of the newer form. */
const NO_SCHEDULE = new Set(["broker_rejected", "broker_error", "upstream_unavailable"]);

/** When contracts trade. */
export class TradingSchedules {
  readonly #api: Api;
  readonly #contracts: Contracts;
  readonly #kept: KeptReads<MarketHours>;

  constructor(api: Api, contracts: Contracts) {
    this.#api = api;
    this.#contracts = contracts;
    this.#kept = new KeptReads({ clock: api.clock, ...KEPT });
  }

  /** Throws `contract_not_found`, and `not_supported` where IBKR tells no hours. */
  async hours(conid: number, options: CallOptions): Promise<MarketHours> {
    const hours = await this.#kept.read(String(conid), options, async (shared) => {
      const instrument = await this.#contracts.instrument(conid, shared);
      return (await this.#newer(instrument, shared)) ?? (await this.#older(instrument, shared));
    });
    return { ...hours, days: fromToday(hours, this.#api.clock.now()) };
  }

  /** Undefined where IBKR has no schedule in the newer form. */
  async #newer(instrument: Instrument, options: CallOptions): Promise<MarketHours | undefined> {
    try {
      const reply = readReply(wire.scheduleReply, await this.#api.read(wire.scheduleRequest(instrument.conid), options), "the hours");
      const days = wire.toDays(reply);
      if (days.length === 0) return undefined;
      const timeZone = zoneOf(instrument, reply.exchange_time_zone);
      return { conid: instrument.conid, exchange: instrument.exchange ?? "", timeZone, days };
    } catch (error) {
      if (error instanceof GatewayError && NO_SCHEDULE.has(error.code)) return undefined;
      throw error;
    }
  }

  async #older(instrument: Instrument, options: CallOptions): Promise<MarketHours> {
    const body = await this.#api.read(wire.weeklyScheduleRequest(instrument), options);
    const venues = readReply(wire.weeklyScheduleReply, body, "the hours");
    const venue = venues.find(({ exchange }) => exchange === instrument.exchange) ?? venues[0];
    const timeZone = venue === undefined ? undefined : zoneOf(instrument, venue.timezone);
    const clock = timeZone === undefined ? undefined : zonedClock(timeZone);
    if (venue === undefined || clock === undefined)
      throw new GatewayError("not_supported", `IBKR tells no trading hours of ${instrument.symbol}.`, {
        whatToDo: "Ask for the hours of another listing, or of the underlying.",
      });
    const days = wire.toDaysOfWeek(venue, clock, { from: clock.dateAt(this.#api.clock.now()), days: DAYS });
    return { conid: instrument.conid, exchange: venue.exchange ?? instrument.exchange ?? "", timeZone, days };
  }
}

/** The exchange's own zone where we know it, since IBKR's names are coarse (`MET` is all of the continent). */
function zoneOf(instrument: Instrument, name: string | undefined): string | undefined {
  const known = instrument.exchange === "SMART" ? undefined : zoneOfExchange(instrument.exchange);
  return known ?? ianaZone(name) ?? zoneOfExchange(instrument.exchange);
}

/** From today to the last day told, also the dates in between on which nothing trades. */
function fromToday({ days, timeZone }: MarketHours, now: number): Day[] {
  const today = zonedClock(timeZone ?? "UTC")?.dateAt(now) ?? new Date(now).toISOString().slice(0, 10);
  const last = days.at(-1)?.date ?? "";
  const told = new Map(days.map((day) => [day.date, day]));
  const dates = Array.from({ length: MAX_DAYS }, (_, ahead) => addDays(today, ahead)).filter((date) => date <= last);
  return dates.map((date) => told.get(date) ?? { date, sessions: [] });
}
