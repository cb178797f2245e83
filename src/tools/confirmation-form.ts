import { isRecord, type JsonObject } from "../lib/json.ts";
import type { InputRequiredAnswer, InputResponse } from "../mcp/define-tool.ts";
import type { PlaceOutcome } from "../trading/trading.ts";
import { draftText } from "../trading/order-draft.ts";
import { MAX_SHOWN_TEXT } from "../trading/questions.ts";

/** A question that waits for a person's yes or no. */
export type OpenConfirmation = Extract<PlaceOutcome, { kind: "confirmation_required" }>;

/** The key of our one form among a call's input requests. */
const FORM_KEY = "confirm";

/** A text of IBKR's as one printable line, so that it can't pass for anything else in a form or an answer. */
export function plainLine(text: string): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length > MAX_SHOWN_TEXT ? `${line.slice(0, MAX_SHOWN_TEXT)}…` : line;
}

/** IBKR's questions, numbered, one a line. */
export function questionLines(open: OpenConfirmation): string {
  return open.messages.map((message, index) => `${index + 1}. ${plainLine(message.text)}`).join("\n");
}

/** Asks the person behind the client by a form (MCP's `input_required`); the state is the order's single-use token. */
export function confirmationForm(open: OpenConfirmation, mode: string): InputRequiredAnswer {
  const message = `IBKR asks before it takes this order in ${open.draft.accountId} (${mode}): ${draftText(open.draft)}\n${questionLines(open)}`;
  const form: JsonObject = {
    method: "elicitation/create",
    params: {
      mode: "form",
      message,
      requestedSchema: {
        type: "object",
        properties: { confirm: { type: "boolean", title: "Place this order", description: "Yes answers every question above." } },
        required: ["confirm"],
      },
    },
  };
  return { kind: "input_required", inputRequests: { [FORM_KEY]: form }, requestState: open.token };
}

/** What the person answered; undefined when the form's answer isn't there. */
export function readConfirmation(response: InputResponse): boolean | undefined {
  const answer: unknown = response.inputResponses[FORM_KEY];
  if (!isRecord(answer) || typeof answer["action"] !== "string") return undefined;
  const content = answer["content"];
  return answer["action"] === "accept" && isRecord(content) && content["confirm"] === true;
}
