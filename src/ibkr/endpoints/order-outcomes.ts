import { z } from "zod";

import type { CancelOutcome, DeclineOutcome, SubmitOutcome } from "../../broker/order.ts";
import { GatewayError } from "../../lib/errors.ts";
import { isRecord } from "../../lib/json.ts";
import type { CommitResult } from "../api.ts";
import { failureOf } from "../api-failures.ts";
import type { Answer } from "../transport.ts";
import { oneLine, statusOf } from "./orders.ts";
import { errorTextOf, listOf, text } from "./reply.ts";

const acceptedRow = z.looseObject({ order_id: text, order_status: text, text, local_order_id: text });
const anyText = z.unknown().transform((value) => (typeof value === "string" ? value : JSON.stringify(value)));
// No text may be missing from what a person sees before the question is answered, whatever its form.
const questionRow = z.looseObject({
  id: z.string().min(1),
  order_id: z.undefined().optional(),
  message: listOf(anyText),
  messageIds: listOf(anyText),
});

/** An order with this `cOID` is at IBKR already: it may be the one that was just sent, brought twice on the way. */
const ALREADY_REGISTERED = /already registered/i;
/** IBKR refuses before it looks at the order: no session, or a step that must come first. */
const BEFORE_ANYTHING = /no bridge|query \/accounts first/i;
/** Said when something broke on the way, not when an order was refused. */
const BROKEN = /exception|unavailable|timed? ?out|internal (?:server )?error|failed to process/i;

/**
 * What came of placing an order, or of a "yes" to a question. Only a clear refusal of the order is `rejected`; where IBKR did
 * not even look at what was sent it is `not_sent` (a question is still open then), and whatever else isn't clear is `unknown`.
 */
export function submitOutcome(result: CommitResult, sent: "order" | "answer"): SubmitOutcome {
  if (result.kind !== "answered") return { kind: result.kind, error: result.error };
  const { status, body } = result.answer;
  const said = errorTextOf(body);
  if (status >= 200 && status < 300 && said === undefined) return accepted(body) ?? unknown(result.answer);
  const wasTurnedAway = status === 429 || (said !== undefined && BEFORE_ANYTHING.test(said));
  if (wasTurnedAway) return { kind: "not_sent", error: failureOf(result.answer) ?? turnedAway(status) };
  if (status === 401 || status === 408 || status >= 500 || status < 200 || (status >= 300 && status < 400)) return unknown(result.answer);
  if (said !== undefined && (ALREADY_REGISTERED.test(said) || BROKEN.test(said))) return unknown(result.answer);
  // A question that is gone may have been answered by something else, and stale ones can go live later.
  if (sent === "answer" && said !== undefined && /reply id not found/i.test(said)) return unknown(result.answer);
  // Without IBKR's own words it was not its order desk that refused: the question behind the answer still stands.
  if (sent === "answer" && said === undefined) return { kind: "not_sent", error: turnedAway(status) };
  return { kind: "rejected", reason: oneLine(said ?? `IBKR refused the request with status ${status}.`) };
}

/** What came of a "no": only IBKR's own words prove that nothing was placed. */
export function declineOutcome(result: CommitResult): DeclineOutcome {
  if (result.kind !== "answered") return { kind: "unknown", error: result.error };
  const isDeclined = /order not confirmed/i.test(errorTextOf(result.answer.body) ?? "");
  return isDeclined && result.answer.status < 500 ? { kind: "declined" } : unknown(result.answer);
}

/** What came of asking for a cancellation. Throws what kept it from being heard at all, such as `rate_limited`. */
export function cancelOutcome(result: CommitResult): CancelOutcome {
  if (result.kind === "not_sent") throw result.error;
  if (result.kind === "unknown") return { kind: "unknown", error: result.error };
  const { status, body } = result.answer;
  const said = errorTextOf(body);
  if (status === 429) throw failureOf(result.answer) ?? turnedAway(status);
  if (said !== undefined && /doesn't exist|not found|no such order|unknown order/i.test(said))
    return { kind: "not_found", message: oneLine(said) };
  if (said !== undefined && status < 500 && !BROKEN.test(said) && !BEFORE_ANYTHING.test(said) && status !== 401)
    return { kind: "not_working", message: oneLine(said) };
  if (status === 200 && said === undefined) {
    const row: unknown = Array.isArray(body) ? body[0] : body;
    const message = isRecord(row) && typeof row["msg"] === "string" ? row["msg"] : undefined;
    if (message !== undefined) return { kind: "requested", message: oneLine(message) };
  }
  return unknown(result.answer);
}

function accepted(body: unknown): SubmitOutcome | undefined {
  if (!Array.isArray(body)) return undefined;
  const [row] = body;
  const question = questionRow.safeParse(row);
  if (question.success) {
    const { id, message, messageIds } = question.data;
    return { kind: "question", question: { replyId: id, messages: message.map(oneLine), messageIds } };
  }
  const order = acceptedRow.safeParse(row);
  if (!order.success || order.data.order_id === undefined) return undefined;
  const { order_id: orderId, order_status: status, text: reason } = order.data;
  if (orderId === "-1" || status?.toLowerCase() === "failed")
    return { kind: "rejected", reason: oneLine(reason ?? "IBKR did not take the order.") };
  return { kind: "accepted", orderId, status: statusOf(status) };
}

function turnedAway(status: number): GatewayError {
  return new GatewayError("upstream_unavailable", `IBKR turned the request away (${status}).`, {
    whatToDo: "Try again in some seconds.",
    retryAfterSeconds: 5,
  });
}

function unknown(answer: Answer): { readonly kind: "unknown"; readonly error: Error } {
  const said = errorTextOf(answer.body);
  const error = new GatewayError(
    "outcome_unknown",
    `IBKR's answer does not tell what became of the request (${answer.status}${said === undefined ? "" : `: ${oneLine(said)}`}).`,
    {
      whatToDo: "Do not send the order again. Look it up with get_orders or get_order_status.",
    },
  );
  return { kind: "unknown", error };
}
