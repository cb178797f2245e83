import { DAY_MS } from "./civil-date.ts";

/** Wall-clock time of one zone, daylight saving included (from the platform's zone data). */
export interface ZonedTime {
  readonly zone: string;
  /** Epoch ms of `minutes` after midnight of a local date; a time that daylight saving skips moves on by the gap. */
  instant(day: number, minutes: number): number;
  /** Local date (as a day number) and minutes after midnight at an instant. */
  local(at: number): { readonly day: number; readonly minutes: number };
}

/** Clocks are put forward and back at whole quarters of an hour. */
const STRETCH_MS = 15 * 60_000;
/** Some weeks of stretches; asking the platform costs thousands of times more than remembering. */
const MAX_STRETCHES = 5000;

/** Makes the clock of an IANA zone such as `America/New_York`. */
export function createZonedTime(zone: string): ZonedTime {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });

  const offsets = new Map<number, number>();

  function offsetAt(at: number): number {
    const stretch = Math.floor(at / STRETCH_MS);
    const known = offsets.get(stretch);
    if (known !== undefined) return known;
    const offset = computeOffset(stretch * STRETCH_MS);
    if (offsets.size >= MAX_STRETCHES) offsets.clear();
    offsets.set(stretch, offset);
    return offset;
  }

  function computeOffset(whole: number): number {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const part of format.formatToParts(whole)) parts[part.type] = Number(part.value);
    const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
  }

  return {
    zone,
    instant: (day, minutes) => {
      const wall = day * DAY_MS + minutes * 60_000;
      const guess = wall - offsetAt(wall);
      const offset = offsetAt(guess);
      const better = wall - offset;
      return offsetAt(better) === offset ? better : guess;
    },
    local: (at) => {
      const wall = at + offsetAt(at);
      const day = Math.floor(wall / DAY_MS);
      return { day, minutes: Math.floor((wall - day * DAY_MS) / 60_000) };
    },
  };
}
