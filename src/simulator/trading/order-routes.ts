import { isRecord } from "../../lib/json.ts";
import { failure, ok, refusal } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Market } from "../market/market.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import { afterAccounts, ofAccount } from "./order-access.ts";
import type { AccountRequest } from "./order-access.ts";
import type { DeskReply, Sender } from "./order-desk.ts";
import { orderStatus } from "./order-status.ts";
import { readOrderSet } from "./order-set.ts";
import type { SimOrder } from "./records.ts";
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
  { method: "POST", path: "/iserver/notification", tier: "brokerage", handle: answerPrompt },
];

function senderOf(session: Session, { arrivedAt }: SimRequest): Sender {
  return { userName: session.user.userName, suppressed: session.brokerage.suppressedMessageIds, sentAt: arrivedAt };
}

function placeOrder({ accountId, request, session, simulation }: AccountRequest): SimReply {
  const { desk } = simulation.trading;
  const read = readOrderSet(request.body, { accountId, market: simulation.market, now: request.now, parent: desk.parent.bind(desk) });
  if ("reply" in read) return read.reply;
  const sender = senderOf(session, request);
  const reply = read.set === undefined ? desk.place(read.first, sender, request.now) : desk.placeSet(read.set, sender, request.now);
  return deskAnswer(reply, simulation, request.now);
}

function previewOrder({ accountId, request, simulation }: AccountRequest): SimReply {
  const { desk } = simulation.trading;
  const read = readOrderSet(request.body, { accountId, market: simulation.market, now: request.now, parent: desk.parent.bind(desk) });
  // The preview turns into HTTP failures what placing answers with 200 and an error: 400 for a contract, 500 for a price.
  if ("reply" in read) return previewFailure(read.reply);
  return ok(whatIfAnswer(read.first, desk.judge(read.first, request.now)));
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
  const read = readTicket(request.body, { accountId, market: simulation.market, now: request.now });
  if ("reply" in read) return read.reply;
  const reply = simulation.trading.desk.modify(orderId, read.ticket, { sender: senderOf(session, request), now: request.now });
  return deskAnswer(reply, simulation, request.now);
}

function answerQuestion(request: SimRequest, session: Session, simulation: Simulation): SimReply {
  const confirmed = isRecord(request.body) ? request.body["confirmed"] : undefined;
  if (typeof confirmed !== "boolean") return failure(400, "Bad Request: confirmed is required");
  const replyId = request.params["replyId"] ?? "";
  const reply = simulation.trading.desk.reply(replyId, confirmed, { sender: senderOf(session, request), now: request.now });
  if (reply.kind === "unknown_question") return { status: 400, json: { error: `reply id not found: '${replyId}'` } };
  return deskAnswer(reply, simulation, request.now);
}

/** What is answered to an order request that comes to nothing for a reason without a text of its own. */
const NOTHING_DONE: Readonly<Record<Exclude<DeskReply["kind"], "accepted" | "question" | "prompt" | "refused" | "duplicate">, SimReply>> = {
  declined: refusal("Order not confirmed "),
  unknown_order: failure(400, "OrderID doesn't exist"),
  not_working: failure(400, "Order is inactive"),
  unknown_question: failure(400, "reply id not found"),
  lost: failure(503, "Service Unavailable"),
};

function deskAnswer(reply: DeskReply, { market }: Simulation, now: number): SimReply {
  if (reply.kind === "accepted") {
    const { order, others = [] } = reply;
    return ok([
      acceptedRow(order, market, now),
      ...others.map((each) => ("failure" in each ? failedRow(each) : acceptedRow(each, market, now))),
    ]);
  }
  if (reply.kind === "question") {
    const { id, question } = reply.open;
    const message = question.messages.map(({ text }) => text);
    const messageIds = question.messages.map((each) => each.id);
    return ok([{ id, message, isSuppressed: false, messageIds, messageOptions: question.options }]);
  }
  if (reply.kind === "prompt") return ok(promptOf(reply.orderId));
  if (reply.kind === "refused") return refusal(reply.text);
  return reply.kind === "duplicate" ? failure(400, reply.text) : NOTHING_DONE[reply.kind];
}

/** An advanced reject: an object where a question is a list. */
function promptOf(orderId: number): Readonly<Record<string, unknown>> {
  const text = "If your order is not immediately executable, our systems may, depending on market conditions, reject your order.";
  return { orderId, reqId: "12345", dismissable: [], text, options: ["Cancel", "Submit"], type: "M", messageId: "p12", prompt: true };
}

function acceptedRow(order: SimOrder, market: Market, now: number): Readonly<Record<string, unknown>> {
  const row = { order_id: String(order.id), order_status: orderStatus(order, market, now), encrypt_message: "1" };
  if (order.parentOrderId === undefined) return order.group === undefined ? row : { ...row, local_order_id: order.clientOrderId ?? "" };
  return { ...row, parent_order_id: String(order.parentOrderId), local_order_id: order.clientOrderId ?? "" };
}

/** A child that was refused though its parent was taken. */
function failedRow({ failure: text }: { readonly failure: string }): Readonly<Record<string, unknown>> {
  return { order_id: "-1", order_status: "Failed", text, warning_message: null };
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

/** Answers an order prompt that came as a notice. Prompts come from the control endpoint alone, so that the answer changes no order. */
function answerPrompt({ body }: SimRequest): SimReply {
  const { orderId, reqId, text } = isRecord(body) ? body : {};
  const isNumber = typeof orderId === "number" && Number.isSafeInteger(orderId);
  if (!isNumber || typeof reqId !== "string" || reqId === "" || typeof text !== "string" || text === "")
    return failure(400, "Bad Request: orderId, reqId and text are required");
  return { status: 200, text: "Success", contentType: "text/plain; charset=utf-8" };
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
