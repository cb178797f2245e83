import type { Kysely } from "kysely";

import type { Database } from "../storage/database.ts";
import { findEqualRequest, type EqualOrderQuery, type OrderRequestRow } from "../storage/order-requests.ts";
import type { RequestState } from "./order-states.ts";

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

/** How long ago an order was placed, in ms, at the least. */
export type PlacedAge = (row: OrderRequestRow) => Promise<number>;

/** Finds the equal order that keeps this one back when its call arrives; undefined where none does. */
export async function equalOnArrival(
  db: Kysely<Database>,
  query: EqualOrderQuery & { readonly isNamed: boolean },
  placedAge: PlacedAge,
): Promise<OrderRequestRow | undefined> {
  const open = await findEqualRequest(db, query, { states: blockingOnArrival(query.isNamed) });
  if (open !== undefined || query.isNamed) return open;
  const placed = await findEqualRequest(db, query, { states: ["placed"] });
  return placed !== undefined && (await placedAge(placed)) < DUPLICATE_WINDOW_MS ? placed : undefined;
}
