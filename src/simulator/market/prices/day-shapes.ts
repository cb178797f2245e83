import type { TradingCalendar } from "../calendar/trading-calendar.ts";
import { createDailyCloses } from "./daily-closes.ts";
import { hashText, mix, nearlyNormal } from "./hash.ts";
import type { PriceSeriesOptions, VolumeBar } from "./price-series.ts";

/** The outline of each trading day, before prices are rounded to increments. */
export interface DayShapes {
  /** Seed of all that is by chance on this instrument's days. */
  readonly key: number;
  regular(day: number): VolumeBar;
  /** From the evening of the day before to the open. */
  morning(day: number): VolumeBar;
  /** After the close. */
  evening(day: number): VolumeBar;
}

/** Share of a day's volume that trades before the open, and again after the close. */
const EXTENDED_VOLUME_SHARE = 0.02;

/** Makes the days of an instrument: its daily closes, and round each an open, a high, a low and a volume. */
export function createDayShapes(options: PriceSeriesOptions): DayShapes {
  const calendar: TradingCalendar = options.calendar;
  const level = createDailyCloses({ ...options, isTradingDay: (day) => calendar.isTradingDay(day) });
  const key = hashText(`${options.seed}/day/${options.pathKey}`);
  const { volatility } = options;
  const unitsOf = (factor: number): number => Math.max(1, Math.round(options.basePrice * factor));

  function regular(day: number): VolumeBar {
    const own = mix(key, day);
    const closing = level(day);
    const volume = Math.round(options.averageVolume * Math.exp(0.3 * nearlyNormal(own, 4)));
    const close = unitsOf(closing);
    if (options.style === "closing_auction") return { open: close, high: close, low: close, close, volume };
    const gap = (options.continuousDays ? 0.02 : 0.35) * volatility * nearlyNormal(own, 1);
    const opening = level(calendar.previousTradingDay(day)) * Math.exp(gap);
    const open = unitsOf(opening);
    const above = Math.exp(0.4 * volatility * Math.abs(nearlyNormal(own, 2)));
    const below = Math.exp(-0.4 * volatility * Math.abs(nearlyNormal(own, 3)));
    const high = Math.max(open, close, unitsOf(Math.max(opening, closing) * above));
    const low = Math.min(open, close, unitsOf(Math.min(opening, closing) * below));
    return { open, high, low, close, volume };
  }

  const eveningEnd = (day: number): number => unitsOf(level(day) * Math.exp(0.12 * volatility * nearlyNormal(mix(key, day), 5)));

  /** Quiet trading from one price to another. */
  function between(open: number, close: number, dayVolume: number): VolumeBar {
    const wiggle = Math.round(0.1 * volatility * options.basePrice);
    const high = Math.max(open, close) + wiggle;
    const low = Math.max(1, Math.min(open, close) - wiggle);
    return { open, high, low, close, volume: Math.round(dayVolume * EXTENDED_VOLUME_SHARE) };
  }

  return {
    key,
    regular,
    morning: (day) => {
      const { open, volume } = regular(day);
      return between(eveningEnd(calendar.previousTradingDay(day)), open, volume);
    },
    evening: (day) => {
      const { close, volume } = regular(day);
      return between(close, eveningEnd(day), volume);
    },
  };
}
