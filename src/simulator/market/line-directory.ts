import { BoundedCache } from "../../lib/bounded-cache.ts";
import { systemClock } from "../../lib/clock.ts";
import { createCalendars } from "./calendar/calendars.ts";
import { CATALOGUE } from "./catalogue/catalogue.ts";
import { createFutureContracts } from "./futures/future-contract.ts";
import { createFutureLine } from "./futures/future-line.ts";
import { createLine, type Line } from "./line.ts";
import type { SimInstrument } from "./market.ts";
import { createExpiries } from "./options/expiries.ts";
import { optionOfConid } from "./options/option-contract.ts";
import { createOptionLine, type OptionLine } from "./options/option-line.ts";
import { steerSeries } from "./prices/steered-series.ts";
import type { Steering } from "./steering.ts";

/** The lines of a market by conid: those of the catalogue, and those of options, which are made when asked for. */
export interface LineDirectory {
  find(conid: number): Line | undefined;
  option(conid: number): OptionLine | undefined;
  /** The futures on an underlying that are listed on a day (a day number), soonest first. */
  futuresOn(underlyingConid: number, day: number): readonly SimInstrument[];
  /** Throws `RangeError` for an unknown conid. */
  readonly lineOf: (conid: number) => Line;
}

/** Options that are kept ready: two whole chains with their weeklies; making one anew takes microseconds. */
const MAX_OPTION_LINES = 2000;
/** Futures that are kept ready: all that are listed at one time, several times over. */
const MAX_FUTURE_LINES = 500;
/** Long enough for a day of trading; an option costs little to make again. */
const OPTION_LINE_TTL_MS = 3_600_000;

export interface LineDirectoryOptions {
  readonly seed: string;
  readonly alwaysOpen: boolean;
  readonly steering: Steering;
}

/** Makes the lines of a market. What is done to an underlying from outside reaches its options through its series. */
export function createLineDirectory(options: LineDirectoryOptions): LineDirectory {
  const calendars = createCalendars(options.alwaysOpen);
  const steered = (line: Line): Line => {
    const { conid } = line.instrument;
    const { series, calendar, grid } = line;
    const round = (units: number): number => grid.round(units);
    const moves = () => options.steering.moves(conid);
    const halts = () => options.steering.halts(conid);
    return { ...line, series: steerSeries({ series, calendar, round, moves, halts }) };
  };
  const lines = new Map(CATALOGUE.map((listing) => [listing.conid, steered(createLine(listing, { ...options, calendars }))]));
  const expiries = createExpiries();
  // Only the age of entries is measured with this clock; what they answer depends on seed and time alone.
  const optionLines = new BoundedCache<number, OptionLine>({
    clock: systemClock,
    maxEntries: MAX_OPTION_LINES,
    ttlMs: OPTION_LINE_TTL_MS,
  });

  const contracts = createFutureContracts();
  const futureLines = new BoundedCache<number, Line>({ clock: systemClock, maxEntries: MAX_FUTURE_LINES, ttlMs: OPTION_LINE_TTL_MS });

  function future(conid: number): Line | undefined {
    const known = futureLines.get(conid);
    if (known !== undefined) return known;
    const contract = contracts.ofConid(conid);
    const underlying = contract === undefined ? undefined : lines.get(contract.class.underlyingConid);
    if (contract === undefined || underlying === undefined) return undefined;
    const made = createFutureLine(contract, { seed: options.seed, underlying });
    futureLines.set(conid, made);
    return made;
  }

  function option(conid: number): OptionLine | undefined {
    const known = optionLines.get(conid);
    if (known !== undefined) return known;
    const contract = optionOfConid(conid);
    if (contract === undefined || !expiries.isExpiry(contract.expiryDay)) return undefined;
    const underlying = lines.get(contract.class.underlyingConid);
    if (underlying === undefined) return undefined;
    const made = createOptionLine(contract, { ...options, calendars, underlying });
    optionLines.set(conid, made);
    return made;
  }

  const find = (conid: number): Line | undefined => lines.get(conid) ?? future(conid) ?? option(conid);
  return {
    find,
    option,
    futuresOn: (underlyingConid, day) => contracts.listedOn(underlyingConid, day).flatMap(({ conid }) => future(conid)?.instrument ?? []),
    lineOf: (conid) => {
      const line = find(conid);
      if (line === undefined) throw new RangeError(`unknown conid ${conid}`);
      return line;
    },
  };
}
