import type { Kysely } from "kysely";

import type { Database } from "../storage/database.ts";
import { attemptsOf } from "../storage/order-attempts.ts";
import { findEqualRequest, type EqualOrderQuery, type OrderRequestRow } from "../storage/order-requests.ts";
import type { AttemptAges } from "./attempt-ages.ts";
import type { AttemptState, RequestState } from "./order-states.ts";

/** An equal order that was placed less long ago keeps back one without an id: it is likelier a retry than a second wish. */
export const DUPLICATE_WINDOW_MS = 60_000;

/** An order may be at IBKR in these without the gateway knowing. */
const BLIND = ["unknown", "unresolved"] as const satisfies readonly RequestState[];
const ON_ITS_WAY = ["received", "sending"] as const satisfies readonly RequestState[];

/** States of an equal order that keep one back when its call arrives. */
export function blockingOnArrival(isNamed: boolean): readonly RequestState[] {
  return isNamed ? BLIND : [...ON_ITS_WAY, ...BLIND];
}

/** States of an equal order that keep one back in its turn, where no other order of the account is on its way. */
export function blockingInTurn(isNamed: boolean): readonly RequestState[] {
  return isNamed ? BLIND : ["sending", ...BLIND];
}

/** An order that may be the double of another one. */
export interface GuardedOrder extends EqualOrderQuery {
  readonly isNamed: boolean;
  /** How old the placing of another order is at the least. */
  readonly ages: Pick<AttemptAges, "sincePlaced">;
}

/** Finds the equal order that keeps this one back when its call arrives; undefined where none does. */
export async function equalOnArrival(db: Kysely<Database>, order: GuardedOrder): Promise<OrderRequestRow | undefined> {
  return (await findEqualRequest(db, order, { states: blockingOnArrival(order.isNamed) })) ?? (await justPlaced(db, order));
}

/** The same in its turn: an equal order may have been placed since, by a call that came later. */
export async function equalInTurn(db: Kysely<Database>, order: GuardedOrder): Promise<OrderRequestRow | undefined> {
  return (await findEqualRequest(db, order, { states: blockingInTurn(order.isNamed) })) ?? (await justPlaced(db, order));
}

async function justPlaced(db: Kysely<Database>, order: GuardedOrder): Promise<OrderRequestRow | undefined> {
  if (order.isNamed) return undefined;
  const row = await findEqualRequest(db, order, { states: ["placed"] });
  if (row === undefined) return undefined;
  const placed = (await attemptsOf(db, row.user_id, row.id)).find(({ state }) => state === ("placed" satisfies AttemptState));
  return placed === undefined || order.ages.sincePlaced(placed) < DUPLICATE_WINDOW_MS ? row : undefined;
}
