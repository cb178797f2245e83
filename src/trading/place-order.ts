import { GatewayError } from "../lib/errors.ts";
import { randomId } from "../lib/random.ts";
import { attemptsOf } from "../storage/order-attempts.ts";
import { findTradingSwitch } from "../storage/order-permission.ts";
import { findOrderRequest, findOrderRequestById, type OrderRequestKey, type OrderRequestRow } from "../storage/order-requests.ts";
import { arrive, sameOrder } from "./arrive.ts";
import { RESEND_WITHIN_MS } from "./customer-order-id.ts";
import { checkOrderRules, checkOrderShape } from "./order-checks.ts";
import type { RequestState } from "./order-states.ts";
import { outcomeOf } from "./outcome-of.ts";
import { refuseUntilEnabled } from "./permission.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { sendOrder } from "./send-order.ts";
import { repeatNotRead, storageUnavailable } from "./trading-errors.ts";
import type { PlaceOutcome, PlaceRequest, TradingCall } from "./trading.ts";

/** Longest wait of a repeat for the first call's outcome before its response is `pending`. */
const REPEAT_WAIT_MS = 10_000;
const REPEAT_STEP_MS = 200;
/** Most times that a repeat starts again because the request moved under it. */
const MAX_TURNS = 3;

/**
 * Places an order at most once per name of its caller: the call that writes the request's row sends it, and every other call
 * of that name joins the row.
 */
export async function placeOrder(deps: PipelineDeps, request: PlaceRequest, call: TradingCall): Promise<PlaceOutcome> {
  const { draft } = request;
  checkOrderShape(draft);
  const { userId, connectionId, nameSpace } = call.caller;
  const clientOrderId = request.clientOrderId ?? randomId(deps.random, "auto-", 8);
  const key = { userId, connectionId, accountId: draft.accountId, nameSpace, clientOrderId };
  const known = request.clientOrderId === undefined ? undefined : await findKnown(deps, key);
  if (known !== undefined) return await repeat(deps, { row: sameOrder(known, request), request, call });
  await beforeSending(() => refuseUntilEnabled(deps.storage, call));
  checkOrderRules(draft, await call.broker.tradingRules(draft.conid, call.call));
  const { row, isFirst } = await arrive(deps, { key, request, call });
  const sent = isFirst ? await sendOrder(deps, { request: row, draft, from: ["received"] }, call) : undefined;
  return sent ?? (await repeat(deps, { row, request, call }));
}

/** Finds what an earlier call of this name has left. Where that can't be read, it may be an order. */
async function findKnown({ storage }: PipelineDeps, key: OrderRequestKey): Promise<OrderRequestRow | undefined> {
  try {
    return await findOrderRequest(storage.db, key);
  } catch (error) {
    throw repeatNotRead(error, key.clientOrderId);
  }
}

/** Runs a query of a call that has sent nothing. */
async function beforeSending<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    throw error instanceof GatewayError ? error : storageUnavailable(error);
  }
}

interface Repeat {
  readonly row: OrderRequestRow;
  readonly request: PlaceRequest;
  readonly call: TradingCall;
}

/** Joins a known request: its outcome, or another sending where the last one may be repeated. */
async function repeat(deps: PipelineDeps, { row, request, call }: Repeat): Promise<PlaceOutcome> {
  const { draft } = request;
  let current = row;
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    current = await settled(deps, current, call);
    const from = await sendableFrom(deps, current, call);
    if (from.length === 0) break;
    await refuseUntilEnabled(deps.storage, call);
    const sent = await sendOrder(deps, { request: current, draft, from }, call);
    if (sent !== undefined) return sent;
    current = await reload(deps, current);
  }
  return await outcomeOf(deps, { row: current, draft }, call);
}

/** States from which this request may be sent again now; none where it may not. */
async function sendableFrom(deps: PipelineDeps, row: OrderRequestRow, call: TradingCall): Promise<readonly RequestState[]> {
  if (row.state === "not_placed" || row.state === "asked") return ["not_placed", "asked"];
  if (row.state !== "unknown" && row.state !== "unresolved") return [];
  const { db } = deps.storage;
  const [last] = await attemptsOf(db, row.user_id, row.id);
  const age = last === undefined ? undefined : deps.ages.atMostSinceFirst(last);
  const isProven = (await findTradingSwitch(db, call.caller))?.duplicate_refusals_proven_at != null;
  return isProven && age !== undefined && age < RESEND_WITHIN_MS ? ["unknown", "unresolved"] : [];
}

/** Waits a little for an outcome that is on its way, and looks once for one that is unknown. */
async function settled(deps: PipelineDeps, row: OrderRequestRow, call: TradingCall): Promise<OrderRequestRow> {
  let current = row;
  const isOnItsWay = (): boolean => current.state === "received" || current.state === "sending";
  for (let waited = 0; isOnItsWay() && waited < REPEAT_WAIT_MS; waited += REPEAT_STEP_MS) {
    if (waited === 0) await deps.burial.run();
    else await deps.clock.wait(REPEAT_STEP_MS, call.call.signal);
    current = await reload(deps, current);
  }
  if (current.state !== "unknown" && current.state !== "unresolved") return current;
  await deps.watch.lookUp(current, call.broker, call.call);
  return await reload(deps, current);
}

async function reload(deps: PipelineDeps, row: OrderRequestRow): Promise<OrderRequestRow> {
  return (await findOrderRequestById(deps.storage.db, row.user_id, row.id)) ?? row;
}
