import { isRecord } from "../../lib/json.ts";
import { failure, ok, refusal } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import { afterAccounts, ofAccount } from "./order-access.ts";
import type { AccountRequest } from "./order-access.ts";
import type { DeskReply, Sender } from "./order-desk.ts";
import { orderStatus } from "./order-status.ts";
import { readTicket } from "./ticket.ts";
import { whatIfAnswer } from "./what-if.ts";

/** Most message ids that one request may suppress. */
const MAX_SUPPRESSED = 51;

/** Placing, confirming, previewing, changing and cancelling orders (reference F.1 to F.5). */
export const orderRoutes: readonly Route[] = [
  { method: "POST", path: "/iserver/account/{accountId}/orders", tier: "brokerage", handle: afterAccounts(ofAccount(placeOrder)) },
  { method: "POST", path: "/iserver/account/{accountId}/orders/whatif", tier: "brokerage", handle: afterAccounts(ofAccount(previewOrder)) },
  {
    method: "POST",
    path: "/iserver/account/{accountId}/order/{orderId}",
    tier: "brokerage",
    handle: afterAccounts(ofAccount(modifyOrder)),
  },
  {
    method: "DELETE",
    path: "/iserver/account/{accountId}/order/{orderId}",
    tier: "brokerage",
    handle: afterAccounts(ofAccount(cancelOrder)),
  },
  { method: "POST", path: "/iserver/reply/{replyId}", tier: "brokerage", handle: afterAccounts(answerQuestion) },
  { method: "POST", path: "/iserver/questions/suppress", tier: "brokerage", handle: suppressQuestions },
  { method: "POST", path: "/iserver/questions/suppress/reset", tier: "brokerage", handle: resetSuppression },
  // The simulator raises no order prompts, so there is never one to answer.
  { method: "POST", path: "/iserver/notification", tier: "brokerage", handle: () => failure(400, "Bad Request: no such notification") },
];

function senderOf(session: Session): Sender {
  return { userName: session.user.userName, suppressed: session.brokerage.suppressedMessageIds };
}

function placeOrder({ accountId, request, session, simulation }: AccountRequest): SimReply {
  const single = singleTicket(request.body);
  if ("reply" in single) return single.reply;
  const read = readTicket(single.raw, accountId, simulation.market);
  if ("reply" in read) return read.reply;
  const reply = simulation.trading.desk.place(read.ticket, senderOf(session), request.now);
  return deskAnswer(reply, simulation, request.now);
}

/** The one ticket of a body, which is `{"orders":[…]}` or the bare array, or what to answer when there isn't exactly one. */
function singleTicket(body: unknown): { readonly raw: unknown } | { readonly reply: SimReply } {
  if (body === undefined) return { reply: failure(400, "Failed to parse body as JSON: body is empty") };
  const tickets: unknown = isRecord(body) ? body["orders"] : body;
  if (!Array.isArray(tickets)) return { reply: failure(400, "orders request includes parameter with incorrect type") };
  if (tickets.length === 0) return { reply: failure(400, "Bad Request: orders can't be empty") };
  if (tickets.length > 1) return { reply: refusal("Bracket, OCA and several orders in one request are not supported.") };
  return { raw: tickets[0] };
}

function previewOrder({ accountId, request, simulation }: AccountRequest): SimReply {
  const single = singleTicket(request.body);
  if ("reply" in single) return single.reply;
  const read = readTicket(single.raw, accountId, simulation.market);
  // The preview turns into HTTP failures what placing answers with 200 and an error: 400 for a contract, 500 for a price.
  if ("reply" in read) return previewFailure(read.reply);
  return ok(whatIfAnswer(read.ticket, simulation.trading.desk.judge(read.ticket, request.now)));
}

function previewFailure(reply: SimReply): SimReply {
  if (reply.status !== 200 || !("json" in reply) || !isRecord(reply.json)) return reply;
  const { error } = reply.json;
  return typeof error === "string" ? failure(error.startsWith("no sec defs") ? 400 : 500, error) : reply;
}

function modifyOrder({ accountId, request, session, simulation }: AccountRequest): SimReply {
  const orderId = Number(request.params["orderId"]);
  if (!isRecord(request.body)) return failure(400, "Bad Request: body can't be empty");
  if (simulation.trading.order(orderId)?.accountId !== accountId) return failure(400, `OrderID ${request.params["orderId"]} doesn't exist`);
  const read = readTicket(request.body, accountId, simulation.market);
  if ("reply" in read) return read.reply;
  const reply = simulation.trading.desk.modify(orderId, read.ticket, { sender: senderOf(session), now: request.now });
  return deskAnswer(reply, simulation, request.now);
}

function answerQuestion(request: SimRequest, session: Session, simulation: Simulation): SimReply {
  const confirmed = isRecord(request.body) ? request.body["confirmed"] : undefined;
  if (typeof confirmed !== "boolean") return failure(400, "Bad Request: confirmed is required");
  const replyId = request.params["replyId"] ?? "";
  const reply = simulation.trading.desk.reply(replyId, confirmed, { sender: senderOf(session), now: request.now });
  if (reply.kind === "unknown_question") return { status: 400, json: { error: `reply id not found: '${replyId}'` } };
  return deskAnswer(reply, simulation, request.now);
}

/** What is answered to an order request that comes to nothing for a reason without a text of its own. */
const NOTHING_DONE: Readonly<Record<Exclude<DeskReply["kind"], "accepted" | "question" | "refused" | "duplicate">, SimReply>> = {
  declined: refusal("Order not confirmed "),
  unknown_order: failure(400, "OrderID doesn't exist"),
  not_working: failure(400, "Order is inactive"),
  unknown_question: failure(400, "reply id not found"),
  lost: failure(503, "Service Unavailable"),
};

function deskAnswer(reply: DeskReply, { market }: Simulation, now: number): SimReply {
  if (reply.kind === "accepted")
    return ok([{ order_id: String(reply.order.id), order_status: orderStatus(reply.order, market, now), encrypt_message: "1" }]);
  if (reply.kind === "question") {
    const { id, question } = reply.open;
    const message = question.messages.map(({ text }) => text);
    const messageIds = question.messages.map((each) => each.id);
    return ok([{ id, message, isSuppressed: false, messageIds, messageOptions: question.options }]);
  }
  if (reply.kind === "refused") return refusal(reply.text);
  return reply.kind === "duplicate" ? failure(400, reply.text) : NOTHING_DONE[reply.kind];
}

function cancelOrder({ accountId, request, simulation }: AccountRequest): SimReply {
  const text = request.params["orderId"] ?? "";
  const { desk } = simulation.trading;
  const msg = "Request was submitted";
  if (text === "-1") {
    desk.cancelAll(accountId, request.now);
    return ok({ msg, order_id: -1, conid: -1, account: null });
  }
  const reply = desk.cancel(accountId, Number(text), request.now);
  if (reply.kind === "unknown_order") return failure(400, `OrderID ${text} doesn't exist`);
  if (reply.kind === "not_working") return NOTHING_DONE.not_working;
  const { id, conid } = reply.order;
  return ok(reply.kind === "at_once" ? { msg, order_id: id, conid: -1, account: null } : { msg, order_id: id, conid, account: accountId });
}

function suppressQuestions(request: SimRequest, session: Session): SimReply {
  const ids: unknown = isRecord(request.body) ? request.body["messageIds"] : undefined;
  if (!Array.isArray(ids) || ids.length === 0) return failure(500, "messageIds can't be empty");
  if (ids.length > MAX_SUPPRESSED) return failure(400, `Bad Request: at most ${MAX_SUPPRESSED} messageIds`);
  for (const id of ids) if (typeof id === "string") session.brokerage.suppressedMessageIds.add(id);
  return ok({ status: "submitted" });
}

function resetSuppression(_request: SimRequest, session: Session): SimReply {
  session.brokerage.suppressedMessageIds.clear();
  return ok({ status: "submitted" });
}
