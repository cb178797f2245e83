import { z } from "zod";

import type { BrokerQuestion } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";
import type { OrderDraft } from "./order-draft.ts";

/** One message of a question that IBKR asked: its id (such as `o163`, or empty) and its text. */
export interface QuestionMessage {
  readonly id: string;
  readonly text: string;
}

/** Longest message that is shown whole; IBKR's longest have some hundreds of characters. A longer one can't be confirmed. */
export const MAX_SHOWN_TEXT = 4_000;

const NUMBER = /\d[\d,]*(?:\.\d+)?|\.\d+/g;
const MEANS = /\b(?:funds|equity|cushion|liquidity|remaining|balance|cash|buying power|available)\b[^\d]*$/i;
/** How much of the text before a number says what it is. */
const CONTEXT_LENGTH = 40;

/** The messages of a question, each with its id. */
export function messagesOf(question: BrokerQuestion): readonly QuestionMessage[] {
  return question.messages.map((text, index) => ({ id: question.messageIds[index] ?? "", text }));
}

/** A text with its numbers masked and its white space folded, so that the same message about other amounts is equal. */
export function maskNumbers(text: string): string {
  return text.replaceAll(NUMBER, "#").replaceAll(/\s+/g, " ").trim();
}

/** One number of a text, and what it is about. */
interface Amount {
  readonly value: Decimal;
  readonly isPercent: boolean;
  readonly isNegative: boolean;
  readonly isPrice: boolean;
  /** True for what an account has left: less of it is worse. */
  readonly isMeans: boolean;
}

function amountsOf(text: string): readonly Amount[] {
  return [...text.matchAll(NUMBER)].map((match) => {
    const before = text.slice(Math.max(0, match.index - CONTEXT_LENGTH), match.index);
    const isPercent = /^\s*%/.test(text.slice(match.index + match[0].length));
    return {
      value: Decimal.parse(match[0].replaceAll(",", "").slice(0, 50)),
      isPercent,
      isNegative: /[-−(]\s*$/.test(before),
      isMeans: MEANS.test(before),
      isPrice: !isPercent && /\b(?:price|bid|ask|last|market)\b[^\d]*$/i.test(before),
    };
  });
}

/** The message that was shown and that this one repeats: the same id and the same words, whatever the numbers. */
export function shownBefore(message: QuestionMessage, shown: readonly QuestionMessage[]): QuestionMessage | undefined {
  const masked = maskNumbers(message.text);
  return shown.find((candidate) => candidate.id === message.id && maskNumbers(candidate.text) === masked);
}

/**
 * True when a message may be answered by the confirmation of one that was shown: it is the same message and no amount
 * in it has changed for the worse. Worse means: a price farther from the order's own price (or, for an order without
 * one, against its side), a changed sign, less of what the account has left,
 * and any other number that has grown: totals, sizes, percentages.
 */
export function isCovered(message: QuestionMessage, shown: readonly QuestionMessage[], draft: OrderDraft): boolean {
  const earlier = shownBefore(message, shown);
  if (earlier === undefined || message.text.length > MAX_SHOWN_TEXT) return false;
  const before = amountsOf(earlier.text);
  const now = amountsOf(message.text);
  return before.length === now.length && now.every((amount, index) => !isWorse(before[index], amount, draft));
}

function isWorse(before: Amount | undefined, now: Amount, draft: OrderDraft): boolean {
  if (before === undefined || before.isNegative !== now.isNegative) return true;
  if (before.value.equals(now.value)) return false;
  if (now.isMeans) return now.value.lessThan(before.value) !== now.isNegative;
  if (!now.isPrice) return now.value.greaterThan(before.value);
  const own = draft.limitPrice ?? draft.stopPrice;
  if (own !== undefined) return now.value.minus(own).abs().greaterThan(before.value.minus(own).abs());
  return draft.side === "BUY" ? now.value.greaterThan(before.value) : now.value.lessThan(before.value);
}

/** Adds messages to those that were shown; the newer text of the same message stands for it. */
export function addShown(shown: readonly QuestionMessage[], added: readonly QuestionMessage[]): readonly QuestionMessage[] {
  const kept = shown.filter((message) => shownBefore(message, added) === undefined);
  return [...kept, ...added];
}

const storedMessages = z.array(z.object({ id: z.string(), text: z.string() }));

/** Reads stored messages back. Throws a `ZodError` for text that isn't a list of them. */
export function parseMessages(json: string): readonly QuestionMessage[] {
  return storedMessages.parse(JSON.parse(json));
}
