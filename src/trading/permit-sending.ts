import type { Transaction } from "kysely";

import { randomId } from "../lib/random.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Database } from "../storage/database.ts";
import { attemptInTurn, attemptsOf, insertOrderAttempt, moveOrderAttempt, type OrderAttemptRow } from "../storage/order-attempts.ts";
import { consumeOrderConfirmation, type OrderConfirmationRow, voidOrderConfirmations } from "../storage/order-confirmations.ts";
import { findTradingSwitch, lockAccountOrders } from "../storage/order-permission.ts";
import { findOrderRequestById, moveOrderRequest, type OrderRequestRow } from "../storage/order-requests.ts";
import { insertOrderSend } from "../storage/order-sends.ts";
import { customerOrderId, nextGeneration, RESEND_WITHIN_MS } from "./customer-order-id.ts";
import type { Allowed } from "./departure.ts";
import { keepsAfterQuestion } from "./doctor-findings.ts";
import { equalInTurn } from "./guard.ts";
import type { OrderDraft } from "./order-draft.ts";
import type { AttemptState, RequestState } from "./order-states.ts";
import { holdPermission, type Permission } from "./permission.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { confirmationExpired, outcomeUnknown, possibleDuplicate, storageUnavailable } from "./trading-errors.ts";
import type { TradingCall } from "./trading.ts";

/** An order that is to leave. */
export interface Wish {
  readonly request: OrderRequestRow;
  readonly draft: OrderDraft;
  /** States of the request in which it may. */
  readonly from: readonly RequestState[];
  /** The question that the caller confirmed, where one was asked. */
  readonly confirmation?: OrderConfirmationRow | undefined;
}

/** The `cOID` that the next sending of a request takes. */
export interface SendingPlan {
  readonly attemptId: string;
  readonly generation: number;
  readonly customerOrderId: string;
  /** The attempt that already has this `cOID`. */
  readonly known: OrderAttemptRow | undefined;
}

/** One sending that is allowed. */
export interface Sending {
  readonly sendId: string;
  readonly request: OrderRequestRow;
  readonly draft: OrderDraft;
  readonly attemptId: string;
  readonly customerOrderId: string;
  /** An earlier sending of this `cOID` has no definite end. */
  readonly doubt: boolean;
  /** How many rounds of questions were confirmed. */
  readonly round: number;
  readonly callerId: string;
}

/** The parts of the pipeline that a permission takes. */
export type PermitDeps = Pick<PipelineDeps, "storage" | "processes" | "clock" | "random" | "log" | "running" | "ages" | "ends">;

/** Another order of the account is on its way, from any process. */
export class TurnTaken extends Error {
  override readonly name = "TurnTaken";
}

/** Another call has moved the request. */
export class RequestMoved extends Error {
  override readonly name = "RequestMoved";
}

/** Chooses the `cOID` of the next sending. Throws `RequestMoved` where there is nothing to send any more. */
export async function planSending(deps: Pick<PermitDeps, "storage" | "random">, wish: Wish): Promise<SendingPlan> {
  const { request } = wish;
  // Only the call that wrote the row knows it as received: nothing of it was sent, which the permission reads again.
  const sent = request.state === ("received" satisfies RequestState) ? undefined : await lastSending(deps, wish);
  const generation = nextGeneration(sent?.last, { keepsAfterQuestion: sent?.keepsAfterQuestion === true });
  const known = sent?.last?.generation === generation ? sent.last : undefined;
  return {
    attemptId: known?.id ?? randomId(deps.random, "att_"),
    generation,
    // Attempts of earlier versions have ids of another form.
    customerOrderId: known?.customer_order_id ?? customerOrderId(request.id, generation),
    known,
  };
}

async function lastSending({ storage: { db } }: Pick<PermitDeps, "storage">, { request, from }: Wish) {
  const { user_id: userId, connection_id: connectionId, id } = request;
  const current = await findOrderRequestById(db, userId, id);
  if (current === undefined || !isOneOf(current.state, from)) throw new RequestMoved();
  const [last] = await attemptsOf(db, userId, id);
  const row = await findTradingSwitch(db, { userId, connectionId });
  return { last, keepsAfterQuestion: row !== undefined && keepsAfterQuestion(row) };
}

/**
 * Allows one sending, in one transaction: the account's turn is free, caller and connection may send now, the request is still
 * to be sent, no equal order may be at IBKR. Throws `TurnTaken`, `RequestMoved` or the `GatewayError` that keeps it back.
 */
export async function permitSending(
  deps: PermitDeps,
  { wish, plan, call }: { readonly wish: Wish; readonly plan: SendingPlan; readonly call: TradingCall },
): Promise<Allowed<Sending>> {
  const sendId = randomId(deps.random, "snd_");
  const { request } = wish;
  deps.running.attempts.add(plan.attemptId);
  try {
    const processId = await deps.processes.hold();
    const allowed = await deps.storage.transaction(async (db) => {
      const value = await decide(db, deps, { wish, plan, call, sendId, processId });
      return { value, at: deps.clock.monotonic() };
    });
    deps.ages.sent(plan.attemptId, plan.known === undefined);
    return allowed;
  } catch (error) {
    deps.running.attempts.delete(plan.attemptId);
    if (error instanceof GatewayError || error instanceof TurnTaken || error instanceof RequestMoved) throw error;
    deps.log.error({ err: error, request: request.id }, "could not store the permission of an order");
    // The commit may have reached the database although its answer did not: then this ends it.
    deps.ends.keep({
      sending: sendingOf(wish, { plan, call, sendId, doubt: plan.known?.doubt === 1 }),
      end: { kind: "not_sent", error: new Error("never left") },
    });
    throw storageUnavailable(error, { client_order_id: request.client_order_id });
  }
}

interface Decision {
  readonly wish: Wish;
  readonly plan: SendingPlan;
  readonly call: TradingCall;
  readonly sendId: string;
  readonly processId: string;
}

async function decide(db: Transaction<Database>, deps: PermitDeps, decision: Decision): Promise<Sending> {
  const { wish, plan, call } = decision;
  const { user_id: userId, connection_id: connectionId, account_id: accountId, id } = wish.request;
  const now = deps.clock.now();
  const { dialect } = deps.storage;
  await lockAccountOrders(db, dialect, { connectionId, accountId });
  if ((await attemptInTurn(db, { connectionId, accountId })) !== undefined) throw new TurnTaken();
  const permission = await holdPermission(db, { dialect, now }, { caller: call.caller, provenMode: call.broker.mode, accountId });
  const request = await findOrderRequestById(db, userId, id);
  const [last] = await attemptsOf(db, userId, id);
  if (request === undefined || !isOneOf(request.state, wish.from) || !isStill(plan, last, permission)) throw new RequestMoved();
  if (last?.state === "unknown") refuseBlindRepeat(deps, { last, request, isProven: permission.isDuplicateProven });
  await refuseEqual(db, deps, request);
  await settleToken(db, { wish, callerId: call.caller.id, now });
  await write(db, { ...decision, request, now, permission: permission.record });
  return sendingOf({ ...wish, request }, { ...decision, doubt: plan.known !== undefined && last?.doubt === 1 });
}

/** Whether the newest attempt still leads to the plan's `cOID`. */
function isStill({ known, generation }: SendingPlan, last: OrderAttemptRow | undefined, permission: Permission): boolean {
  const isSame = last?.generation === generation ? last.id === known?.id : known === undefined;
  return isSame && nextGeneration(last, permission) === generation;
}

function isOneOf(state: string, states: readonly string[]): boolean {
  return states.includes(state);
}

/** A `cOID` of unknown outcome is sent again only where the broker is proven to refuse it twice, and only while it surely does. */
function refuseBlindRepeat(
  { ages }: Pick<PermitDeps, "ages">,
  facts: { readonly last: OrderAttemptRow; readonly request: OrderRequestRow; readonly isProven: boolean },
): void {
  const age = ages.atMostSinceFirst(facts.last);
  if (facts.isProven && age !== undefined && age < RESEND_WITHIN_MS) return;
  throw outcomeUnknown({ accountId: facts.request.account_id, clientOrderId: facts.request.client_order_id });
}

async function refuseEqual(db: Transaction<Database>, { ages }: Pick<PermitDeps, "ages">, row: OrderRequestRow): Promise<void> {
  const isNamed = row.is_named === 1;
  const query = {
    userId: row.user_id,
    connectionId: row.connection_id,
    accountId: row.account_id,
    argumentsHash: row.arguments_hash,
    exceptId: row.id,
  };
  const equal = await equalInTurn(db, { ...query, isNamed, ages });
  if (equal !== undefined) throw possibleDuplicate(equal, { isNamed: true });
}

/** Uses up the token that the caller sent, or voids the one that it didn't send; a first sending has none. */
async function settleToken(
  db: Transaction<Database>,
  { wish, callerId, now }: { readonly wish: Wish; readonly callerId: string; readonly now: number },
): Promise<void> {
  const { request, confirmation } = wish;
  const { user_id: userId, id } = request;
  if (confirmation === undefined) {
    if (request.state !== ("received" satisfies RequestState)) await voidOrderConfirmations(db, userId, id, now);
    return;
  }
  const isMine = await consumeOrderConfirmation(db, { userId, callerId, tokenHash: confirmation.token_hash, at: now });
  if (!isMine) throw confirmationExpired(confirmation.expires_at > now, request.client_order_id);
}

interface Writing extends Decision {
  readonly request: OrderRequestRow;
  readonly now: number;
  readonly permission: string;
}

async function write(db: Transaction<Database>, { wish, plan, call, sendId, processId, request, now, permission }: Writing): Promise<void> {
  const { user_id: userId, connection_id: connectionId } = request;
  const brokerAt = call.broker.time() ?? null;
  const sent = { sent_at: now, sent_broker_at: brokerAt, owner_process: processId, round: wish.confirmation?.round ?? 0 };
  if (plan.known === undefined) {
    await insertOrderAttempt(db, {
      ...sent,
      id: plan.attemptId,
      request_id: request.id,
      user_id: userId,
      connection_id: connectionId,
      account_id: request.account_id,
      customer_order_id: plan.customerOrderId,
      generation: plan.generation,
      state: "sending" satisfies AttemptState,
      doubt: 0,
      first_sent_at: now,
      first_sent_broker_at: brokerAt,
      updated_at: now,
      looks: 0,
    });
  } else {
    const from: AttemptState[] = ["no", "unknown"];
    // Of an attempt that its owner called absent these are the owner's words, which must not pass for IBKR's.
    const said = plan.known.state === ("no" satisfies AttemptState) ? null : plan.known.said;
    const change = { ...sent, ended_by: null, said };
    if (!(await moveOrderAttempt(db, { userId, id: plan.attemptId, from, to: "sending", change, at: now }))) throw new RequestMoved();
  }
  if (!(await moveOrderRequest(db, { userId, id: request.id, from: wish.from, to: "sending", ownerProcess: processId, at: now })))
    throw new RequestMoved();
  await insertOrderSend(db, {
    id: sendId,
    attempt_id: plan.attemptId,
    user_id: userId,
    connection_id: connectionId,
    caller_id: call.caller.id,
    source: call.caller.source,
    permission,
    process_id: processId,
    sent_at: now,
    broker_at: brokerAt,
    ended_at: null,
    ended_by: null,
  });
}

function sendingOf(
  { request, draft, confirmation }: Wish,
  facts: { readonly plan: SendingPlan; readonly call: TradingCall; readonly sendId: string; readonly doubt: boolean },
): Sending {
  const { plan, call, sendId, doubt } = facts;
  return {
    sendId,
    request,
    draft,
    attemptId: plan.attemptId,
    customerOrderId: plan.customerOrderId,
    doubt,
    round: confirmation?.round ?? 0,
    callerId: call.caller.id,
  };
}
