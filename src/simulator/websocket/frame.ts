import { isRecord, parseLossless } from "../../lib/json.ts";

/** One message to a client, written as JSON. */
export type Frame = Readonly<Record<string, unknown>>;

/** A client's message of the form `topic+key+{json}`. */
export interface TopicMessage {
  /** Three lower-case letters. */
  readonly topic: string;
  /** What stands between the topic and the object: a conid, an account, an exchange. */
  readonly keys: readonly string[];
  /** Empty when the message has none. Losslessly parsed: non-integers are text. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a client's text means. */
export type ClientMessage =
  | { readonly kind: "tic" }
  | { readonly kind: "session"; readonly sessionId: string }
  | { readonly kind: "topic"; readonly message: TopicMessage }
  | { readonly kind: "unreadable" };

const TOPIC = /^([a-z]{3})(?:\+([^{]*))?$/;

/** Reads a client's text frame: the keep-alive word, the old way to name a session, or a topic. */
export function readMessage(text: string): ClientMessage {
  const trimmed = text.trim();
  if (trimmed === "tic") return { kind: "tic" };
  const brace = trimmed.indexOf("{");
  const head = brace < 0 ? trimmed : trimmed.slice(0, brace);
  const body = brace < 0 ? {} : objectOf(trimmed.slice(brace));
  if (body === undefined) return { kind: "unreadable" };
  if (head === "") return typeof body["session"] === "string" ? { kind: "session", sessionId: body["session"] } : { kind: "unreadable" };
  const match = TOPIC.exec(head);
  if (match === null) return { kind: "unreadable" };
  const keys = (match[2] ?? "").split("+").filter((key) => key !== "");
  return { kind: "topic", message: { topic: match[1] ?? "", keys, body } };
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseLossless(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The texts of a list in a message's body; anything else in it is left out. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
