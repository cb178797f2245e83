import { randomId } from "../lib/random.ts";
import { voidOrderConfirmations } from "../storage/order-confirmations.ts";
import {
  findOrderRequest,
  insertOrderRequest,
  moveOrderRequest,
  type OrderRequestKey,
  type OrderRequestRow,
  type OrderRequestState,
} from "../storage/order-requests.ts";
import { checkOrderRules, checkOrderShape } from "./order-checks.ts";
import { refuseUntilEnabled } from "./live-guard.ts";
import { draftDigest, draftFields } from "./order-draft.ts";
import { orderToSend, refuseIdentical } from "./refuse-identical.ts";
import { answerOf, type PipelineDeps, type PreparedAttempt, prepareAttempt, runAttempt } from "./run-attempt.ts";
import { idempotencyMismatch } from "./trading-errors.ts";
import type { PlaceOutcome, PlaceRequest, TradingCall } from "./trading.ts";

/** Most time that a repeat waits for the first call's answer before it is told "pending". */
const REPEAT_WAIT_MS = 10_000;
const REPEAT_STEP_MS = 200;
/** Most times that a repeat starts over because the request moved under it. */
const MAX_TURNS = 3;

/**
 * Places an order at most once per (connection, account, client order id): the row that claims the id is written before
 * anything is sent, and whoever doesn't write it gets the answer of whoever did.
 */
export async function placeOrder(deps: PipelineDeps, request: PlaceRequest, call: TradingCall): Promise<PlaceOutcome> {
  const { draft } = request;
  checkOrderShape(draft);
  const { caller } = call;
  const clientOrderId = request.clientOrderId ?? randomId(deps.random, "auto-", 8);
  const key = { userId: caller.userId, connectionId: caller.connectionId, accountId: draft.accountId, clientOrderId };
  const known = request.clientOrderId === undefined ? undefined : await findOrderRequest(deps.storage.db, key);
  if (known !== undefined) return repeat(deps, { row: known, request, call, turn: 0 });
  await refuseUntilEnabled(deps.storage, call);
  checkOrderRules(draft, await call.broker.tradingRules(draft.conid, call.call));
  const mine = await deps.turns.run<PlaceOutcome | undefined>({
    account: turnOf(key),
    signal: call.call.signal,
    action: async () => {
      // Its turn may have come long after it was asked for.
      await refuseUntilEnabled(deps.storage, call);
      const isNamed = request.clientOrderId !== undefined;
      await refuseIdentical(deps.storage, { ...key, argumentsHash: draftDigest(draft), isNamed });
      const prepared = await claim(deps, { request, call, key });
      return prepared === undefined ? undefined : runAttempt(deps, prepared, call);
    },
    whenLate: () => ({ kind: "pending", clientOrderId, draft }),
  });
  if (mine !== undefined) return mine;
  const winner = await findOrderRequest(deps.storage.db, key);
  if (winner === undefined) throw new Error("the request that holds this client order id has vanished");
  return repeat(deps, { row: winner, request, call, turn: 0 });
}

/** The name of an account's turn: one at a time per account of a connection. */
export function turnOf(key: { readonly connectionId: string; readonly accountId: string }): string {
  return `${key.connectionId} ${key.accountId}`;
}

interface Claim {
  readonly request: PlaceRequest;
  readonly call: TradingCall;
  readonly key: OrderRequestKey;
}

/** Writes the request and its first attempt in one transaction; undefined when the id is taken. */
async function claim(deps: PipelineDeps, { request, call, key }: Claim): Promise<PreparedAttempt | undefined> {
  const at = deps.clock.now();
  const row: OrderRequestRow = {
    id: randomId(deps.random, "ord_"),
    user_id: key.userId,
    connection_id: key.connectionId,
    account_id: key.accountId,
    caller_id: call.caller.id,
    client_order_id: key.clientOrderId,
    arguments_hash: draftDigest(request.draft),
    ticket: JSON.stringify(draftFields(request.draft)),
    reason: request.reason ?? null,
    state: "sending" satisfies OrderRequestState,
    result: null,
    created_at: at,
    updated_at: at,
  };
  return deps.storage.transaction(async (db) => {
    if (!(await insertOrderRequest(db, row))) return undefined;
    return prepareAttempt(db, deps, { request: row, round: 0, confirmed: [], callerId: call.caller.id });
  });
}

interface Repeat {
  readonly row: OrderRequestRow;
  readonly request: PlaceRequest;
  readonly call: TradingCall;
  readonly turn: number;
}

/** Answers a call whose client order id is known: with the first answer, or by sending anew what was proven not placed. */
async function repeat(deps: PipelineDeps, { row, request, call, turn }: Repeat): Promise<PlaceOutcome> {
  if (row.arguments_hash !== draftDigest(request.draft)) throw idempotencyMismatch(row.client_order_id);
  const current = await settled(deps, row, call);
  if (current.state !== "not_sent" && current.state !== "confirmation_required") return answerOf(current);
  const answered = await deps.turns.run<PlaceOutcome | undefined>({
    account: turnOf(keyOf(current)),
    signal: call.call.signal,
    action: async () => {
      await refuseUntilEnabled(deps.storage, call);
      await refuseIdentical(deps.storage, orderToSend(current));
      const prepared = await reclaim(deps, current, call);
      return prepared === undefined ? undefined : runAttempt(deps, prepared, call);
    },
    whenLate: () => ({ kind: "pending", clientOrderId: current.client_order_id, draft: request.draft }),
  });
  if (answered !== undefined) return answered;
  const moved = (await findOrderRequest(deps.storage.db, keyOf(current))) ?? current;
  return turn < MAX_TURNS ? repeat(deps, { row: moved, request, call, turn: turn + 1 }) : answerOf(moved);
}

/** Takes a request that was proven not placed for another attempt; undefined when another call was quicker. */
async function reclaim(deps: PipelineDeps, row: OrderRequestRow, call: TradingCall): Promise<PreparedAttempt | undefined> {
  const { user_id: userId, id } = row;
  const at = deps.clock.now();
  return deps.storage.transaction(async (db) => {
    const isMine = await moveOrderRequest(db, { userId, id, from: ["not_sent", "confirmation_required"], to: "sending", at });
    if (!isMine) return undefined;
    await voidOrderConfirmations(db, userId, id, at);
    return prepareAttempt(db, deps, { request: row, round: 0, confirmed: [], callerId: call.caller.id });
  });
}

/** Waits a little for an answer that is under way, and looks once for an order whose outcome is open. */
async function settled(deps: PipelineDeps, row: OrderRequestRow, call: TradingCall): Promise<OrderRequestRow> {
  const reload = async () => (await findOrderRequest(deps.storage.db, keyOf(row))) ?? row;
  let current = row;
  for (let waited = 0; current.state === "sending" && waited < REPEAT_WAIT_MS; waited += REPEAT_STEP_MS) {
    await deps.clock.wait(REPEAT_STEP_MS, call.call.signal);
    current = await reload();
  }
  if (current.state !== "unknown" && current.state !== "sending") return current;
  await deps.settlement.lookUp(row, call.broker, call.call);
  return reload();
}

function keyOf(row: OrderRequestRow): OrderRequestKey {
  return { userId: row.user_id, connectionId: row.connection_id, accountId: row.account_id, clientOrderId: row.client_order_id };
}
