import { ok } from "../http/route.ts";
import type { Route } from "../http/route.ts";
import type { Trading } from "../trading/trading.ts";
import type { Fault } from "./faults.ts";

/** How a list of orders or executions may lie. */
export const LIST_FAULTS = ["stale", "lagging", "partial", "empty", "cold", "filtered"] as const;

/** What live orders send in a session that has not primed them. */
const COLD = ok({ orders: [], snapshot: false });

/**
 * Lets faults of the kind `list` change what a list shows: `stale` as it was when the fault began, `lagging` without the last `ms`,
 * `partial` without every second row (the newest is missing), `empty`, `cold` as before priming, `filtered` empty until `force=true`.
 */
export function withListFaults(handle: Route["handle"]): Route["handle"] {
  return (request, session, simulation) => {
    const { faults, trading } = simulation;
    const isForced = request.query.get("force") === "true";
    const fault = faults.take("list", request, request.now);
    if (fault?.reason === "cold") return request.path === "/iserver/account/orders" ? COLD : ok([]);
    if (fault?.reason === "filtered" && isForced) faults.remove(fault.id);
    if (fault === undefined) return handle(request, session, simulation);
    return handle(request, session, { ...simulation, trading: lying(trading, fault, request.now) });
  };
}

/** The brokerage as a list shows it under a fault. */
function lying(trading: Trading, fault: Fault, now: number): Trading {
  return {
    ...trading,
    orders: (accountId, since) => shown(trading.orders(accountId, since), fault, { now, at: ({ placedAt }) => placedAt }),
    executions: (accountId, since) =>
      shown(trading.executions(accountId, since).toReversed(), fault, { now, at: ({ at }) => at }).toReversed(),
  };
}

interface Ages<T> {
  readonly now: number;
  readonly at: (row: T) => number;
}

/** The rows that are shown of these, which are the oldest first. */
function shown<T>(rows: readonly T[], { reason, since, ms = 0 }: Fault, { now, at }: Ages<T>): T[] {
  if (reason === "stale") return rows.filter((row) => at(row) < since);
  if (reason === "lagging") return rows.filter((row) => at(row) <= now - ms);
  if (reason === "partial") return rows.filter((_row, index) => (rows.length - index) % 2 === 0);
  return [];
}
