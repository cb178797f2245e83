import type { Transaction } from "kysely";

import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { type Random, randomId } from "../lib/random.ts";
import { sha256Hex } from "../lib/secret.ts";
import type { Database } from "../storage/database.ts";
import { insertOrderAttempt, moveOrderAttempt, type OrderAttemptState } from "../storage/order-attempts.ts";
import { insertOrderConfirmation } from "../storage/order-confirmations.ts";
import { findOrderRequestById, moveOrderRequest, type OrderRequestRow, type OrderRequestState } from "../storage/order-requests.ts";
import type { Storage } from "../storage/storage.ts";
import type { AccountTurns } from "./account-turns.ts";
import { refuseUntilEnabled } from "./live-guard.ts";
import { exchange, type ExchangeEnd } from "./exchange.ts";
import { parseDraft } from "./order-draft.ts";
import { addShown, type QuestionMessage } from "./questions.ts";
import { askedDetail, type Settlement } from "./settlement.ts";
import { parseResult } from "./stored-result.ts";
import { brokerRejected, confirmationLimit, outcomeUnknown } from "./trading-errors.ts";
import type { PlaceOutcome, TradingCall } from "./trading.ts";

/** How long a confirm token is good. */
const TOKEN_TTL_MS = 120_000;
/** Most times that one order's questions are shown. */
export const MAX_ROUNDS = 3;

export interface PipelineDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly turns: AccountTurns;
  readonly settlement: Settlement;
}

/** An attempt that was written and may now be sent. */
export interface PreparedAttempt {
  readonly request: OrderRequestRow;
  readonly attemptId: string;
  readonly customerOrderId: string;
  /** How many times questions were confirmed before. */
  readonly round: number;
  readonly confirmed: readonly QuestionMessage[];
  /** Whom a question is shown to, and so who may confirm it. */
  readonly callerId: string;
}

/**
 * Sends a prepared attempt and writes down what came of it. From here on the caller's hanging up changes nothing.
 * Throws `broker_rejected`, `outcome_unknown`, `confirmation_limit`, or the error of an order that was proven not sent.
 */
export async function runAttempt(deps: PipelineDeps, prepared: PreparedAttempt, call: TradingCall): Promise<PlaceOutcome> {
  const { request, attemptId, customerOrderId, confirmed } = prepared;
  const draft = parseDraft(request.ticket);
  const end = await deps.turns.exchange((signal) =>
    exchange({
      broker: call.broker,
      call: { ...call.call, signal },
      draft,
      customerOrderId,
      confirmed,
      // It may have waited long for a session or its turn since it was decided.
      beforeSending: () => refuseUntilEnabled(deps.storage, call),
      onQuestion: async () => {
        await moveOrderAttempt(deps.storage.db, {
          userId: request.user_id,
          id: attemptId,
          to: "prepared",
          detail: askedDetail(),
          at: deps.clock.now(),
        });
      },
    }),
  );
  try {
    return await conclude(deps, prepared, end);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    // The order may be placed and only our row of it failed: that is the very thing that reconciliation is for.
    deps.log.error({ err: error, attempt: attemptId }, "could not write down what came of an order");
    deps.settlement.watch();
    throw outcomeUnknown(request.account_id, request.client_order_id, error);
  }
}

/** Writes the row of an attempt inside the transaction that claims its request. */
export async function prepareAttempt(
  db: Transaction<Database>,
  deps: PipelineDeps,
  basis: Omit<PreparedAttempt, "attemptId" | "customerOrderId">,
): Promise<PreparedAttempt> {
  const { request, round } = basis;
  const at = deps.clock.now();
  const attemptId = randomId(deps.random, "att_");
  const customerOrderId = randomId(deps.random, "gw", 10);
  await insertOrderAttempt(db, {
    id: attemptId,
    request_id: request.id,
    user_id: request.user_id,
    connection_id: request.connection_id,
    account_id: request.account_id,
    customer_order_id: customerOrderId,
    round,
    state: "prepared" satisfies OrderAttemptState,
    broker_order_id: null,
    detail: null,
    created_at: at,
    updated_at: at,
  });
  return { ...basis, attemptId, customerOrderId };
}

async function conclude(deps: PipelineDeps, prepared: PreparedAttempt, end: ExchangeEnd): Promise<PlaceOutcome> {
  const { request } = prepared;
  if (end.kind === "asked" && prepared.round < MAX_ROUNDS) return offerToken(deps, prepared, end.messages);
  if (end.kind === "unknown") {
    deps.log.warn({ err: end.error, attempt: prepared.attemptId }, "the outcome of an order is unknown");
    deps.settlement.watch();
  }
  const settled = await deps.storage.transaction((db) => record(db, deps, { prepared, end }));
  if (!settled) return answerOf(await reload(deps, request), request);
  if (end.kind !== "accepted") throw failureOf(end, request);
  const draft = parseDraft(request.ticket);
  return { kind: "placed", orderId: end.orderId, status: end.status, isRepeat: false, clientOrderId: request.client_order_id, draft };
}

function failureOf(end: Exclude<ExchangeEnd, { kind: "accepted" }>, request: OrderRequestRow): GatewayError {
  if (end.kind === "rejected") return brokerRejected(end.reason, request.client_order_id);
  if (end.kind === "asked") return confirmationLimit(MAX_ROUNDS, request.client_order_id);
  if (end.kind === "not_sent") return notSent(end.error, request.client_order_id);
  return outcomeUnknown(request.account_id, request.client_order_id, end.error);
}

function notSent(error: Error, clientOrderId: string): GatewayError {
  const known = error instanceof GatewayError ? error : undefined;
  return new GatewayError(known?.code ?? "upstream_unavailable", `The order was not sent: ${error.message}`, {
    whatToDo: `Nothing was placed. Send it again with the same client_order_id "${clientOrderId}".${known === undefined ? "" : ` ${known.whatToDo}`}`,
    ...(known?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: known.retryAfterSeconds }),
    ...(known?.link === undefined ? {} : { link: known.link }),
    details: { client_order_id: clientOrderId },
    cause: error,
  });
}

interface Ending {
  readonly prepared: PreparedAttempt;
  readonly end: ExchangeEnd;
}

/** How an exchange's end is kept: the attempt's state, the request's, and what a repeat is answered with. */
const STATES: Record<ExchangeEnd["kind"], readonly [OrderAttemptState, OrderRequestState]> = {
  accepted: ["accepted", "accepted"],
  rejected: ["rejected", "rejected"],
  asked: ["declined", "too_many_questions"],
  not_sent: ["not_sent", "not_sent"],
  unknown: ["unknown", "unknown"],
};

/** Writes the end of an attempt; false when a look at the broker had settled it first. */
async function record(db: Transaction<Database>, deps: PipelineDeps, { prepared, end }: Ending): Promise<boolean> {
  const { request, attemptId } = prepared;
  const at = deps.clock.now();
  const userId = request.user_id;
  const [attemptState, requestState] = STATES[end.kind];
  const brokerOrderId = end.kind === "accepted" ? end.orderId : undefined;
  if (!(await moveOrderAttempt(db, { userId, id: attemptId, to: attemptState, brokerOrderId, at }))) return false;
  const result = resultOf(end);
  // An order that IBKR took after all, although it had been believed absent: a process may be suspended between row and POST.
  const from: OrderRequestState[] = end.kind === "accepted" ? ["sending", "unknown", "not_sent"] : ["sending", "unknown"];
  const isMoved = await moveOrderRequest(db, { userId, id: request.id, from, to: requestState, result, at });
  if (!isMoved && end.kind === "accepted") deps.log.error({ attempt: attemptId, order: end.orderId }, "a second attempt was accepted too");
  return isMoved;
}

function resultOf(end: ExchangeEnd): string | undefined {
  if (end.kind === "accepted") return JSON.stringify({ order_id: end.orderId, status: end.status });
  return end.kind === "rejected" ? JSON.stringify({ reason: end.reason }) : undefined;
}

/** Keeps the question with a fresh single-use token, of which only the digest is stored. */
async function offerToken(deps: PipelineDeps, prepared: PreparedAttempt, messages: readonly QuestionMessage[]): Promise<PlaceOutcome> {
  const { request, attemptId, confirmed } = prepared;
  const token = deps.random.bytes(24).toString("base64url");
  const at = deps.clock.now();
  const expiresAt = at + TOKEN_TTL_MS;
  const round = prepared.round + 1;
  const userId = request.user_id;
  const offered = await deps.storage.transaction(async (db) => {
    if (!(await moveOrderAttempt(db, { userId, id: attemptId, to: "declined", at }))) return false;
    await moveOrderRequest(db, { userId, id: request.id, from: ["sending", "unknown"], to: "confirmation_required", at });
    await insertOrderConfirmation(db, {
      token_hash: sha256Hex(token),
      request_id: request.id,
      user_id: userId,
      caller_id: prepared.callerId,
      questions: JSON.stringify(addShown(confirmed, messages)),
      round,
      expires_at: expiresAt,
      consumed_at: null,
      created_at: at,
    });
    return true;
  });
  if (!offered) return answerOf(await reload(deps, request), request);
  const draft = parseDraft(request.ticket);
  return {
    kind: "confirmation_required",
    clientOrderId: request.client_order_id,
    draft,
    messages,
    token,
    expiresAt,
    round,
    maxRounds: MAX_ROUNDS,
  };
}

async function reload(deps: PipelineDeps, request: OrderRequestRow): Promise<OrderRequestRow> {
  return (await findOrderRequestById(deps.storage.db, request.user_id, request.id)) ?? request;
}

/** The answer that a settled request gives to every repeat; one that isn't settled is told as unknown or pending. */
export function answerOf(row: OrderRequestRow, request: OrderRequestRow = row): PlaceOutcome {
  const draft = parseDraft(request.ticket);
  const clientOrderId = request.client_order_id;
  const result = parseResult(row.result);
  if (row.state === "accepted" && result.order_id !== undefined) {
    return { kind: "placed", clientOrderId, draft, orderId: result.order_id, status: result.status ?? "Unknown", isRepeat: true };
  }
  if (row.state === "declined") return { kind: "declined", clientOrderId, draft };
  if (row.state === "sending") return { kind: "pending", clientOrderId, draft };
  if (row.state === "rejected") throw brokerRejected(result.reason ?? "no reason given", clientOrderId);
  if (row.state === "too_many_questions") throw confirmationLimit(MAX_ROUNDS, clientOrderId);
  if (row.state === "not_sent") throw notSent(new Error("it never reached IBKR"), clientOrderId);
  throw outcomeUnknown(request.account_id, clientOrderId);
}
