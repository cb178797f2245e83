import { commonTexts } from "../texts/common.ts";

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** A time as people say it (`3 minutes ago`), with the exact one in UTC on pointing. Both in epoch ms. */
export function RelativeTime({ at, now }: { readonly at: number; readonly now: number }) {
  const iso = new Date(at).toISOString();
  return (
    <time datetime={iso} title={`${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`}>
      {relativeTime(at, now)}
    </time>
  );
}

/** An exact time in UTC with its age in text. Both in epoch ms. */
export function ExactTime({ at, now }: { readonly at: number; readonly now: number }) {
  const iso = new Date(at).toISOString();
  return (
    <>
      {iso.slice(0, 10)} {iso.slice(11, 23)} UTC (<RelativeTime at={at} now={now} />)
    </>
  );
}

/** Says how long ago or ahead a time is, in the largest whole unit. */
export function relativeTime(at: number, now: number): string {
  const distance = Math.abs(now - at);
  for (const [unit, lengthMs] of UNITS) {
    const amount = Math.floor(distance / lengthMs);
    if (amount > 0) return at <= now ? commonTexts.ago(amount, unit) : commonTexts.ahead(amount, unit);
  }
  return commonTexts.justNow;
}
