import type { CancelOutcome, DeclineOutcome, SubmitOutcome, UnknownOutcome } from "../../broker/order.ts";
import { GatewayError } from "../../lib/errors.ts";
import type { CommitResult } from "../api.ts";
import type { Answer } from "../transport.ts";
import { bounded, cleaned, readOrderResponse, REFUSING } from "./order-response.ts";

/** IBKR knows this `cOID`, possibly from this request, doubled on the network. There may be an order with it, or none. */
const REGISTERED = /already registered|duplicate (?:local )?order id/i;
/** About the question, not the order: another request may have answered it, and a stale one can go live late. */
const ABOUT_THE_REPLY = /reply(?:[ _-]?id)?\b.*not found|order not confirmed/i;
/** Words of a lost session, a broken service or a limit. The order desk may have the order all the same. */
const NOT_THE_ORDER_DESK = new RegExp(
  [
    String.raw`no bridge|query \S*accounts|competing|unauthenticated|not (?:yet )?(?:authenticated|logged in|connected|established)`,
    String.raw`disconnected|connection (?:was |is )?(?:lost|reset|refused|closed|aborted|broken)`,
    String.raw`(?<!trading )session (?:was |is |has )?(?:lost|closed|ended|expired|not)`,
    String.raw`exception|\bjava\.|unavailable|time[ds]?[ -]?out|(?:failed|unable) to process|(?:could|can)(?: ?not|n.t) (?:be )?process`,
    String.raw`(?:internal|system|server|unknown|unexpected)(?: server)? error|error occurred`,
    String.raw`too many requests|rate limit|throttl|\bpacing|(?:system|scheduled|under|during) maintenance`,
  ].join("|"),
  "i",
);
/** The order may still be in progress. */
const NOT_YET = /(?:try|retry)(?: again)? later|being processed|in progress|waiting for/i;
/** An HTTP status in words, or less: no judgement of an order. */
const NO_REASON =
  /^(?:\d{3}\b)?[\s:]*(?:bad request|unauthori[sz]ed|forbidden|not found|conflict|gone|locked|error|failed|failure|unknown|null|undefined|none|true)?[\s.:!]*$/i;
const NO_SUCH_ORDER = /order.*(?:doesn.t exist|does not exist|not found)|no such order|unknown order/i;

/**
 * Maps IBKR's response to an order, or to a "yes". `rejected` needs the order desk's own words about this order. A response
 * that is not plainly an acceptance, a question or a refusal is `unknown`, at any status.
 */
export function submitOutcome(result: CommitResult): SubmitOutcome {
  if (result.kind === "not_sent") return { kind: "not_sent", error: result.error };
  if (result.kind === "unknown") return { kind: "unknown", error: result.error };
  const { status, body } = result.answer;
  const { form } = readOrderResponse(body);
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && (form.kind === "accepted" || form.kind === "question")) return form;
  const isRefusal = REFUSING.has(status) && (form.kind === "error" || form.kind === "failed") && isAboutTheOrder(form.text);
  return isRefusal ? { kind: "rejected", reason: bounded(form.text) ?? form.text } : unknown(result.answer, SEND_NO_MORE);
}

/** Maps IBKR's response to a "no". Only `Order not confirmed` proves that nothing was placed. */
export function declineOutcome(result: CommitResult): DeclineOutcome {
  if (result.kind !== "answered") return { kind: "unknown", error: result.error };
  const { status, body } = result.answer;
  const { form } = readOrderResponse(body);
  const isDeclined = REFUSING.has(status) && form.kind === "error" && /^order not confirmed\b/i.test(form.text);
  return isDeclined ? { kind: "declined" } : unknown(result.answer, SEND_NO_MORE);
}

/** Maps IBKR's response to a cancellation. Throws the reason when nothing was sent. */
export function cancelOutcome(result: CommitResult): CancelOutcome {
  if (result.kind === "not_sent") throw result.error;
  if (result.kind === "unknown") return { kind: "unknown", error: result.error };
  const { status, body } = result.answer;
  const { form, said: message = "" } = readOrderResponse(body);
  // IBKR's documents show this text in a row of the order as well as by itself.
  const isTaken = (form.kind === "message" || form.kind === "accepted") && /request was submitted/i.test(message);
  if (status === 200 && isTaken) return { kind: "requested", message };
  if (form.kind === "error" && !says(form.text, [NOT_THE_ORDER_DESK, NO_REASON])) {
    if ((REFUSING.has(status) || status === 404) && NO_SUCH_ORDER.test(form.text)) return { kind: "not_found", message };
    if (REFUSING.has(status)) return { kind: "not_working", message };
  }
  return unknown(result.answer, "Look the order up with get_order_status. Cancelling it again is safe.");
}

/** True for the order desk's own words about this order. */
function isAboutTheOrder(said: string): boolean {
  return !says(said, [REGISTERED, ABOUT_THE_REPLY, NOT_THE_ORDER_DESK, NOT_YET, NO_REASON]);
}

/** True where a text fits one of the patterns, be it only within its markup or without it. */
function says(said: string, patterns: readonly RegExp[]): boolean {
  return [said, cleaned(said)].some((words) => patterns.some((pattern) => pattern.test(words)));
}

const SEND_NO_MORE = "Do not send the order again. Look it up with get_orders or get_order_status.";

function unknown({ status, body }: Answer, whatToDo: string): UnknownOutcome {
  const { said, orderId } = readOrderResponse(body);
  const words = said === undefined ? "" : `: ${said}`;
  const error = new GatewayError("outcome_unknown", `IBKR's response does not show what became of the request (${status}${words}).`, {
    whatToDo,
  });
  return {
    kind: "unknown",
    error,
    ...(said === undefined ? {} : { said, ...(REGISTERED.test(said) ? { isRegistered: true } : {}) }),
    ...(orderId === undefined ? {} : { orderId }),
  };
}
