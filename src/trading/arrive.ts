import type { Transaction } from "kysely";

import { GatewayError } from "../lib/errors.ts";
import { randomId } from "../lib/random.ts";
import type { Database } from "../storage/database.ts";
import { lockAccountOrders } from "../storage/order-permission.ts";
import { findOrderRequest, insertOrderRequest, type OrderRequestKey, type OrderRequestRow } from "../storage/order-requests.ts";
import { equalOnArrival } from "./guard.ts";
import { draftDigest, draftFields } from "./order-draft.ts";
import type { RequestState } from "./order-states.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { idempotencyMismatch, possibleDuplicate, storageUnavailable } from "./trading-errors.ts";
import type { PlaceRequest, TradingCall } from "./trading.ts";

/** A call as it arrived: the first of its request, or one that joins it. */
export interface Arrival {
  readonly row: OrderRequestRow;
  readonly isFirst: boolean;
}

/** The parts of the pipeline that an arrival takes. */
export type ArriveDeps = Pick<PipelineDeps, "storage" | "processes" | "clock" | "random" | "log" | "running" | "ages" | "burial">;

/** A call with the name of its order. */
export interface ArrivingCall {
  readonly key: OrderRequestKey;
  readonly request: PlaceRequest;
  readonly call: TradingCall;
}

/**
 * Writes the row of a call before it waits for its turn, so that an equal order is seen from the first moment, in every
 * process. Throws `possible_duplicate`, `idempotency_mismatch` or `storage_unavailable`; then nothing of the call is stored.
 */
export async function arrive(deps: ArriveDeps, arriving: ArrivingCall): Promise<Arrival> {
  const id = randomId(deps.random, "ord_");
  deps.running.requests.add(id);
  try {
    await deps.burial.run();
    const processId = await deps.processes.hold();
    const arrival = await deps.storage.transaction((db) => write(db, deps, { ...arriving, id, processId }));
    if (!arrival.isFirst) deps.running.requests.delete(id);
    return arrival;
  } catch (error) {
    deps.running.requests.delete(id);
    if (error instanceof GatewayError) throw error;
    deps.log.error({ err: error }, "could not store an order that arrived");
    throw storageUnavailable(error, { client_order_id: arriving.key.clientOrderId });
  }
}

interface Writing extends ArrivingCall {
  readonly id: string;
  readonly processId: string;
}

async function write(db: Transaction<Database>, deps: ArriveDeps, { key, request, call, id, processId }: Writing): Promise<Arrival> {
  await lockAccountOrders(db, deps.storage.dialect, key);
  const known = await findOrderRequest(db, key);
  if (known !== undefined) return { row: sameOrder(known, request), isFirst: false };
  const isNamed = request.clientOrderId !== undefined;
  const argumentsHash = draftDigest(request.draft);
  const equal = await equalOnArrival(db, { ...key, argumentsHash, isNamed, ages: deps.ages });
  if (equal !== undefined) throw possibleDuplicate(equal, { isNamed });
  const at = deps.clock.now();
  const row: OrderRequestRow = {
    id,
    user_id: key.userId,
    connection_id: key.connectionId,
    account_id: key.accountId,
    caller_id: call.caller.id,
    name_space: key.nameSpace,
    client_order_id: key.clientOrderId,
    is_named: isNamed ? 1 : 0,
    arguments_hash: argumentsHash,
    ticket: JSON.stringify(draftFields(request.draft)),
    reason: request.reason ?? null,
    state: "received" satisfies RequestState,
    result: null,
    owner_process: processId,
    created_at: at,
    updated_at: at,
  };
  await insertOrderRequest(db, row);
  return { row, isFirst: true };
}

/** Throws `idempotency_mismatch` where the row is for another order. */
export function sameOrder(row: OrderRequestRow, { draft }: Pick<PlaceRequest, "draft">): OrderRequestRow {
  if (row.arguments_hash !== draftDigest(draft)) throw idempotencyMismatch(row.client_order_id);
  return row;
}
