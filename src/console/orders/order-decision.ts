import { plainText } from "../../lib/plain-text.ts";
import type { PageRequest } from "../../pages/page-env.ts";
import { orderTexts as texts } from "../../pages/texts/orders.ts";
import type { OrderVerdict } from "../../trading/unresolved-orders.ts";
import { typedBefore } from "../console-visits.ts";

/** The fields of both forms, as typed. */
export interface DecisionDraft {
  /** The form: `there` or `not_there`. */
  readonly verdict: string;
  readonly orderId: string;
  readonly isCancelled: boolean;
  readonly words: string;
}

/** Why what was typed can't be saved, by field. */
export type DecisionErrors = Partial<Record<"orderId" | "words", string>>;

/** Longest text on where a user looked. */
export const MAX_WORDS = 200;
/** IBKR's order ids have about 10 digits. */
export const MAX_ORDER_ID = 20;
/** Names of the fields, which none is secret of. */
export const DECISION_FIELDS = ["verdict", "order_id", "cancelled", "words"] as const;

/** Reads a form. */
export function readDecision(fields: URLSearchParams): DecisionDraft {
  return draftOf((name) => fields.get(name) ?? "");
}

/** Reads what was typed before a new sign-in. */
export function decisionTypedBefore(c: PageRequest): DecisionDraft {
  return draftOf((name) => typedBefore(c, name) ?? "");
}

function draftOf(field: (name: (typeof DECISION_FIELDS)[number]) => string): DecisionDraft {
  return {
    verdict: field("verdict"),
    orderId: field("order_id").trim(),
    isCancelled: field("cancelled") === "on",
    words: field("words"),
  };
}

/** Returns the decision, or why there is none. An order id counts more than "I cancelled it": IBKR's own state is then read by it. */
export function checkDecision(draft: DecisionDraft): { readonly verdict: OrderVerdict; readonly words: string } | DecisionErrors {
  const words = plainText(draft.words, MAX_WORDS);
  const wordsError = words === "" || draft.words.trim().length > MAX_WORDS ? { words: texts.errors.words } : {};
  const verdict = verdictOf(draft);
  if (verdict === undefined) return { ...wordsError, orderId: texts.errors.orderId };
  return wordsError.words === undefined ? { verdict, words } : wordsError;
}

function verdictOf({ verdict, orderId, isCancelled }: DecisionDraft): OrderVerdict | undefined {
  if (verdict === "not_there") return { kind: "not_there" };
  if (orderId === "") return isCancelled ? { kind: "cancelled" } : undefined;
  return /^\d+$/.test(orderId) && orderId.length <= MAX_ORDER_ID ? { kind: "there", orderId } : undefined;
}
