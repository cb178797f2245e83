const DAY_MS = 86_400_000;

/** When the next day begins in a zone (`America/New_York`), epoch ms; right also over a change of summer time. */
export function nextMidnight(zone: string, now: number): number {
  const local = now + offsetOf(zone, now);
  const midnight = (Math.floor(local / DAY_MS) + 1) * DAY_MS;
  // The clock may be set between now and then: the offset that holds there decides.
  return midnight - offsetOf(zone, midnight - offsetOf(zone, now));
}

/** How far the zone's clock is ahead of UTC, ms. */
function offsetOf(zone: string, at: number): number {
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
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
}
