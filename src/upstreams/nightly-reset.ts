/** Where IBKR resets its sessions at midnight, and takes new consumers in. */
export const RESET_ZONES = { new_york: "America/New_York", zug: "Europe/Zurich", hong_kong: "Asia/Hong_Kong" } as const;

export type ResetRegion = keyof typeof RESET_ZONES;

const HOUR_MS = 3_600_000;

/**
 * The next midnight of a region after `now`, epoch ms: a new consumer key works from then on at the earliest. Source: IBKR's Web API
 * documentation on OAuth set-up, which names the midnight reset of New York, Zug and Hong Kong.
 */
export function nextReset(region: ResetRegion, now: number): number {
  const zone = RESET_ZONES[region];
  const today = dayIn(zone, now);
  // The day changes at a full hour in these zones, in whichever of the next 25 hours: a day has 23 to 25 of them.
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
  const hours = Array.from({ length: 26 }, (_, count) => hour + (count + 1) * HOUR_MS);
  return hours.find((at) => dayIn(zone, at) !== today) ?? now + 24 * HOUR_MS;
}

function dayIn(zone: string, at: number): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}
