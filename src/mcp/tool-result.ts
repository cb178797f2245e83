import type { GatewayError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { ToolAnswer } from "./define-tool.ts";
import { type Era, META, type ServerInfo } from "./protocol.ts";

/** A `tools/call` result as it goes on the wire. */
export type ToolResult = JsonObject;

/** A tool's answer in the words of an era. A question to a person exists in 2026-07-28 only. */
export function answerResult(answer: ToolAnswer, era: Era, serverInfo: ServerInfo): ToolResult {
  switch (answer.kind) {
    case "complete":
      return {
        content: [{ type: "text", text: answer.text }],
        structuredContent: answer.structured,
        ...eraFields(era, "complete", serverInfo),
      };
    case "input_required":
      if (era === "legacy") throw new Error("a 2025 client can't be asked on a stateless endpoint");
      return {
        inputRequests: answer.inputRequests,
        requestState: answer.requestState,
        ...eraFields(era, "input_required", serverInfo),
      };
  }
}

/** A failure, and the page that helps with it. */
export interface LinkedError {
  readonly error: GatewayError;
  readonly link: string | undefined;
}

/** A failure as JSON text for a model. It has no `structuredContent`: older clients would check it and hide the message. */
export function errorResult(failure: LinkedError, era: Era, serverInfo: ServerInfo): ToolResult {
  return {
    content: [{ type: "text", text: JSON.stringify(describeError(failure)) }],
    isError: true,
    ...eraFields(era, "complete", serverInfo),
  };
}

/** The public face of an error: code, message, what to do, and what helps with it. */
function describeError({ error, link }: LinkedError): JsonObject {
  const face = {
    code: error.code,
    message: error.message,
    what_to_do: error.whatToDo,
    ...(error.retryAfterSeconds === undefined ? {} : { retry_after_s: error.retryAfterSeconds }),
    ...(link === undefined ? {} : { link }),
  };
  // Spread twice: the face comes first for readers, and no detail replaces a part of it.
  return { ...face, ...error.details, ...face };
}

function eraFields(era: Era, resultType: string, serverInfo: ServerInfo): JsonObject {
  return era === "legacy" ? {} : { resultType, _meta: { [META.serverInfo]: { ...serverInfo } } };
}
