import type { MarketHours, TradingSession } from "./research.ts";

/** Where a market stands at one instant. */
export interface MarketState {
  readonly session: "regular" | "extended" | "closed";
  /** When the regular hours that run end, epoch ms. */
  readonly regularClosesAt: number | undefined;
  /** When regular hours begin next, epoch ms; undefined while they run, and when none are known. */
  readonly regularOpensAt: number | undefined;
}

/** Works out from a contract's hours whether it trades at `now`. */
export function marketStateAt({ days }: Pick<MarketHours, "days">, now: number): MarketState {
  const sessions = days.flatMap((day) => day.sessions);
  const regular = sessions.filter(isRegularAmong(sessions));
  const running = regular.find((session) => runs(session, now));
  if (running !== undefined) return { session: "regular", regularClosesAt: running.closesAt, regularOpensAt: undefined };
  const starts = regular.filter(({ opensAt }) => opensAt > now).map(({ opensAt }) => opensAt);
  return {
    session: sessions.some((session) => runs(session, now)) ? "extended" : "closed",
    regularClosesAt: undefined,
    regularOpensAt: starts.length === 0 ? undefined : Math.min(...starts),
  };
}

/** Tells regular sessions: the liquid ones, or all where the broker marks none as liquid. */
export function isRegularAmong(sessions: readonly TradingSession[]): (session: TradingSession) => boolean {
  const areMarked = sessions.some(({ isLiquidHours }) => isLiquidHours);
  return ({ isLiquidHours }) => isLiquidHours || !areMarked;
}

function runs({ opensAt, closesAt }: TradingSession, now: number): boolean {
  return opensAt <= now && now < closesAt;
}
