import type { Kysely } from "kysely";

import type { Clock } from "../lib/clock.ts";
import { background, type Log } from "../lib/log.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Database } from "../storage/database.ts";
import { findOrderAttempt, moveOrderAttempt, type OrderAttemptChange } from "../storage/order-attempts.ts";
import { insertOrderConfirmation } from "../storage/order-confirmations.ts";
import { findOrderRequestById, moveOrderRequest } from "../storage/order-requests.ts";
import { endOrderSend } from "../storage/order-sends.ts";
import type { Storage } from "../storage/storage.ts";
import type { Alarm } from "./alarm.ts";
import type { AttemptAges } from "./attempt-ages.ts";
import { type Ending, endingOf, type ExchangeEnd } from "./order-ends.ts";
import { ATTEMPT_MOVES, type AttemptState, REQUEST_MOVES, type RequestState, statesBefore } from "./order-states.ts";
import type { Running } from "./pipeline.ts";
import type { Sending } from "./permit-sending.ts";

/** How one sending ended, and the row of the token that its question is confirmed by. */
export interface SendingEnd {
  readonly sending: Sending;
  readonly end: ExchangeEnd;
  /** Written only where the request ends as `asked`. */
  readonly confirmation?: Parameters<typeof insertOrderConfirmation>[1] | undefined;
  readonly brokerAt?: number | undefined;
}

/** `moved`: something else had settled the attempt first. `kept`: the database failed, so it is written later. */
export type WrittenEnd = "written" | "moved" | "kept";

export interface OrderEndsDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly running: Running;
  readonly ages: AttemptAges;
  readonly alarm: Alarm;
}

/** How often ends that could not be written are tried again. */
const RETRY_MS = 1_000;

/** What IBKR said of sendings, written until it is stored. After a crash before that, the row is found unknown, never wrong. */
export class OrderEnds {
  readonly #deps: OrderEndsDeps;
  readonly #kept: SendingEnd[] = [];
  #stopRetrying: (() => void) | undefined;
  #round: Promise<void> | undefined;

  constructor(deps: OrderEndsDeps) {
    this.#deps = deps;
  }

  /** Writes an end, now or, where the database fails, as soon as it works again. */
  async write(ended: SendingEnd): Promise<WrittenEnd> {
    try {
      return await this.#try(ended);
    } catch (error) {
      this.#deps.log.error({ err: error, attempt: ended.sending.attemptId }, "could not store how an order ended: trying again");
      this.keep(ended);
      return "kept";
    }
  }

  /** Keeps an end to be written later. */
  keep(ended: SendingEnd): void {
    this.#deps.running.attempts.add(ended.sending.attemptId);
    this.#deps.running.requests.add(ended.sending.request.id);
    this.#kept.push(ended);
    this.#stopRetrying ??= this.#deps.clock.every(RETRY_MS, () => {
      background(this.flush(), this.#deps.log, "storing how orders ended");
    });
  }

  /** Whether an end of this request is still to be written. */
  has(requestId: string): boolean {
    return this.#kept.some(({ sending }) => sending.request.id === requestId);
  }

  /** Tries to write everything that is kept; what fails stays. */
  async flush(): Promise<void> {
    this.#round ??= this.#flush().finally(() => (this.#round = undefined));
    await this.#round;
  }

  /** Tries once more, then stops: the next process finds what is left as unknown. */
  async close(): Promise<void> {
    await this.flush();
    this.#stopRetrying?.();
  }

  async #flush(): Promise<void> {
    for (let ended = this.#kept[0]; ended !== undefined; ended = this.#kept[0]) {
      try {
        await this.#try(ended);
      } catch (error) {
        this.#deps.log.warn({ err: error, attempt: ended.sending.attemptId }, "still could not store how an order ended");
        return;
      }
      this.#kept.shift();
    }
    this.#stopRetrying?.();
    this.#stopRetrying = undefined;
  }

  async #try(ended: SendingEnd): Promise<WrittenEnd> {
    const { storage, running, ages } = this.#deps;
    const { sending, end } = ended;
    const ending = endingOf(end.kind, sending);
    const written = await storage.transaction((db) => writeEnd(db, { ...ended, ending, at: this.#deps.clock.now() }));
    if (ending.attempt === "placed") ages.placed(sending.attemptId);
    running.attempts.delete(sending.attemptId);
    running.requests.delete(sending.request.id);
    if (written.contradicts !== undefined) await this.#raise(sending, written.contradicts);
    return written.isMoved ? "written" : "moved";
  }

  async #raise({ request, customerOrderId }: Sending, state: string): Promise<void> {
    await this.#deps.alarm.raise({
      userId: request.user_id,
      connectionId: request.connection_id,
      accountId: request.account_id,
      requestId: request.id,
      customerOrderId,
      because: `IBKR accepted an order that was known as ${state}.`,
    });
  }
}

interface Writing extends SendingEnd {
  readonly ending: Ending;
  readonly at: number;
}

interface Written {
  readonly isMoved: boolean;
  /** The state that an accepted order contradicts. */
  readonly contradicts: string | undefined;
}

/** States of a request in which it was thought that no order exists. */
const THOUGHT_ABSENT: ReadonlySet<string> = new Set<RequestState>(["refused", "declined", "asked", "not_placed"]);

async function writeEnd(db: Kysely<Database>, writing: Writing): Promise<Written> {
  const { sending, end, ending, at, confirmation } = writing;
  const { user_id: userId, id: requestId } = sending.request;
  await endOrderSend(db, { userId, id: sending.sendId, endedBy: ending.send, at });
  const from: readonly AttemptState[] = ending.attempt === "placed" ? statesBefore(ATTEMPT_MOVES, "placed") : ["sending"];
  const before = await findOrderAttempt(db, userId, sending.attemptId);
  const change = changeOf(writing);
  const isMoved = await moveOrderAttempt(db, { userId, id: sending.attemptId, from, to: ending.attempt, change, at });
  if (!isMoved) return { isMoved: false, contradicts: undefined };
  const request = await findOrderRequestById(db, userId, requestId);
  const requestFrom: readonly RequestState[] = ending.request === "placed" ? statesBefore(REQUEST_MOVES, "placed") : ["sending"];
  await moveOrderRequest(db, { userId, id: requestId, from: requestFrom, to: ending.request, result: resultOf(end, ending), at });
  if (ending.request === "asked" && confirmation !== undefined) await insertOrderConfirmation(db, confirmation);
  const wasThoughtAbsent = before?.state === "no" || (request !== undefined && THOUGHT_ABSENT.has(request.state));
  return { isMoved: true, contradicts: ending.attempt === "placed" && wasThoughtAbsent ? (request?.state ?? "absent") : undefined };
}

function changeOf({ end, ending, brokerAt }: Writing): OrderAttemptChange {
  const isOpen = ending.attempt === "unknown";
  return {
    doubt: isOpen ? 1 : 0,
    ended_by: isOpen ? null : ending.send,
    ...(end.kind === "accepted" ? { broker_order_id: end.orderId, placed_broker_at: brokerAt ?? null } : {}),
    // What IBKR did not tell stays as it is.
    ...(end.kind === "unknown" ? { broker_order_id: end.orderId, said: end.said } : {}),
  };
}

/** What a repeat of the request is told. */
function resultOf(end: ExchangeEnd, ending: Ending): string | undefined {
  switch (end.kind) {
    case "accepted":
      return JSON.stringify({ order_id: end.orderId, status: end.status });
    case "rejected":
      return JSON.stringify({ reason: end.reason });
    case "asked":
      return ending.request === "declined" ? JSON.stringify({ reason: "too_many_questions" }) : undefined;
    case "withdrawn":
    case "not_sent":
      return JSON.stringify({ reason: end.error instanceof GatewayError ? end.error.code : "upstream_unavailable" });
    case "unknown":
      return undefined;
  }
}
