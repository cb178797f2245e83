import { z } from "zod";

import type { BrokerQuestion, OrderStatusName } from "../../broker/order.ts";
import { isRecord } from "../../lib/json.ts";
import { oneLine, statusOf } from "./orders.ts";
import { flag, integer, text } from "./reply.ts";

/** Longest text of IBKR's that an outcome carries. */
const MAX_SAID = 500;
/** Keys under which IBKR writes to people. */
const WORDS = ["error", "errors", "text", "message", "msg", "warning_message", "reason"];

const anyText = z.unknown().transform((value) => (typeof value === "string" ? value : JSON.stringify(value)));
/** A list, or its only entry by itself. */
const texts = z
  .union([z.array(anyText), z.string().transform((value) => [value])])
  .optional()
  .catch(undefined);
const responseRow = z.looseObject({
  error: z.unknown().optional(),
  id: text,
  message: texts,
  messageIds: texts,
  order_id: text,
  orderId: text,
  order_status: text,
  text,
  warning_message: text,
  msg: text,
  prompt: flag,
  options: texts,
  statusCode: integer,
});

type ResponseRow = z.output<typeof responseRow>;

/** Meaning of a response by its form alone. A response with two meanings, or with none, is `unclear`. */
export type OrderForm =
  | { readonly kind: "accepted"; readonly orderId: string; readonly status: OrderStatusName }
  | { readonly kind: "question"; readonly question: BrokerQuestion }
  /** An error text and nothing else. */
  | { readonly kind: "error"; readonly text: string }
  /** IBKR's row for an order that got no id. */
  | { readonly kind: "failed"; readonly text: string }
  /** IBKR's note that it took a request, as after a cancellation. */
  | { readonly kind: "message" }
  | { readonly kind: "unclear" };

/** Form, words and order id of a response. */
export interface OrderResponse {
  readonly form: OrderForm;
  /** One line, at most 500 characters. */
  readonly said: string | undefined;
  readonly orderId: string | undefined;
}

/**
 * Reads a response to an order, a reply or a cancellation. One order has one row, as an object or in a list. Several rows are
 * `unclear`, even when one of them is an acceptance.
 */
export function readOrderResponse(body: unknown): OrderResponse {
  const entries: readonly unknown[] = Array.isArray(body) ? body : [body];
  const records = entries.filter(isRecord);
  const rows = records.map((record) => responseRow.parse(record));
  const [row] = rows;
  return {
    form: entries.length === 1 && row !== undefined ? formOf(row) : { kind: "unclear" },
    said: bounded(typeof body === "string" ? body : records.flatMap(wordsOf).join(" ")),
    orderId: rows.map(orderIdOf).find((id) => id !== undefined),
  };
}

/** Cleans IBKR's text: one line, no markup, no control characters, at most 500 characters. Undefined when nothing is left. */
export function bounded(said: string): string | undefined {
  const line = cleaned(said);
  if (line === "") return undefined;
  return line.length > MAX_SAID ? `${line.slice(0, MAX_SAID - 1)}…` : line;
}

/** IBKR's whole text on one line, without markup and control characters. */
export function cleaned(said: string): string {
  return oneLine(said.replaceAll(/<[a-z/!][^>]*>|&nbsp;|[\p{Cc}\p{Cf}]/giu, " "));
}

function formOf(row: ResponseRow): OrderForm {
  const { error } = row;
  const orderId = orderIdOf(row);
  const question = questionOf(row);
  const isPrompt = row.prompt === true || (question === undefined && (row.options?.length ?? 0) > 0);
  if (isPrompt || (question !== undefined && orderId !== undefined)) return { kind: "unclear" };
  if (hasError(error)) {
    const hasMore = question !== undefined || orderId !== undefined || row.msg !== undefined || !REFUSING.has(row.statusCode ?? 200);
    return typeof error === "string" && !hasMore ? { kind: "error", text: error.trim() } : { kind: "unclear" };
  }
  if (question !== undefined) return { kind: "question", question };
  if (orderId !== undefined && row.order_status !== undefined) return orderForm(orderId, statusOf(row.order_status));
  if (row.order_status?.toLowerCase() === "failed" && row.order_id === "-1")
    return { kind: "failed", text: row.text ?? row.warning_message ?? "IBKR did not take the order and gave no reason." };
  return { kind: row.msg === undefined ? "unclear" : "message" };
}

/** Statuses of a refusal, in HTTP and in the body's `statusCode`. */
export const REFUSING: ReadonlySet<number> = new Set([200, 400]);

/** Acceptance needs a known state. `WarnState` may hide a question. */
function orderForm(orderId: string, status: OrderStatusName): OrderForm {
  return status === "Unknown" || status === "WarnState" ? { kind: "unclear" } : { kind: "accepted", orderId, status };
}

function questionOf({ id, message, messageIds }: ResponseRow): BrokerQuestion | undefined {
  if (id === undefined || (message ?? messageIds) === undefined) return undefined;
  // Every text must reach the person who decides, in any form and at any length.
  return { replyId: id, messages: (message ?? []).map(oneLine), messageIds: messageIds ?? [] };
}

/** Real ids are positive; IBKR writes -1 for an order that has none. */
function orderIdOf({ order_id: snake, orderId: camel }: ResponseRow): string | undefined {
  return [snake, camel].map((id) => id?.trim()).find((id) => id !== undefined && /^[1-9]\d*$/.test(id));
}

function hasError(error: unknown): boolean {
  return error !== undefined && error !== null && error !== false && !(typeof error === "string" && error.trim() === "");
}

function wordsOf(record: Readonly<Record<string, unknown>>): readonly string[] {
  const written = WORDS.flatMap((key) => {
    const value = record[key];
    return Array.isArray(value) ? value : [value];
  });
  return written.flatMap((value) => {
    if (typeof value === "string") return [value];
    return isRecord(value) ? [JSON.stringify(value)] : [];
  });
}
