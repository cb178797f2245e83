import type { TradingSession } from "../calendar/trading-calendar.ts";
import { volumeThrough } from "./volume-tree.ts";

/** Volume is counted by the minute. */
const VOLUME_STEP_MS = 60_000;

/** The volume of one session of an instrument whose trades follow another's. */
export interface SessionVolume {
  readonly key: number;
  readonly session: TradingSession;
  /** Volume of the whole session. */
  readonly whole: number;
}

/** The part of a session's volume between two instants, both included. */
export function sessionVolume({ key, session, whole }: SessionVolume, from: number, to: number): number {
  const intervals = Math.max(1, Math.floor((session.closesAt - session.opensAt) / VOLUME_STEP_MS) - 1);
  const root = { key, intervals, atLeast: 0, extra: whole };
  const last = Math.floor((to - session.opensAt) / VOLUME_STEP_MS);
  const first = Math.ceil((from - session.opensAt) / VOLUME_STEP_MS);
  return last < first ? 0 : volumeThrough(root, last) - volumeThrough(root, first - 1);
}
