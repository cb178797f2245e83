import { isRecord } from "../lib/json.ts";
import type { InputResponse } from "./define-tool.ts";
import { type Era, LEGACY_VERSIONS, META, MODERN_VERSION, type RequestId } from "./protocol.ts";

/** Request headers as node:http gives them: names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A regular `tools/list` or `tools/call`, checked as far as its era asks. */
export type FastRequest =
  | { readonly kind: "list"; readonly era: Era; readonly id: RequestId }
  | {
      readonly kind: "call";
      readonly era: Era;
      readonly id: RequestId;
      readonly name: string;
      readonly arguments: unknown;
      readonly canElicitForm: boolean;
      readonly inputResponse: InputResponse | undefined;
    };

/**
 * Reads a message as a regular `tools/list` or `tools/call`, or answers undefined for everything else. It only says yes
 * where the SDK's own checks would: whatever is irregular goes to the SDK, which knows the exact error.
 */
export function readFastRequest(message: unknown, headers: RequestHeaders): FastRequest | undefined {
  if (!isRecord(message) || message["jsonrpc"] !== "2.0") return undefined;
  const { id, method, params } = message;
  if (typeof id !== "string" && !Number.isSafeInteger(id)) return undefined;
  if (method !== "tools/list" && method !== "tools/call") return undefined;
  if (params !== undefined && !isRecord(params)) return undefined;
  const meta = params?.["_meta"];
  if (meta !== undefined && !isRecord(meta)) return undefined;
  const claims = meta !== undefined && META.protocolVersion in meta;
  const regular = claims ? isRegularModern(method, params, meta, headers) : isRegularLegacy(headers);
  if (!regular || !isProgressToken(meta?.["progressToken"])) return undefined;
  const era: Era = claims ? MODERN_VERSION : "legacy";
  // An id is a text or a safe integer: both were checked above.
  const request = { era, id: id as RequestId };
  return method === "tools/list" ? readList(request, params) : readCall(request, params, meta);
}

type Base = Pick<FastRequest, "era" | "id">;
type Params = Record<string, unknown> | undefined;

function readList(request: Base, params: Params): FastRequest | undefined {
  const cursor = params?.["cursor"];
  return cursor === undefined || typeof cursor === "string" ? { kind: "list", ...request } : undefined;
}

function readCall(request: Base, params: Params, meta: Params): FastRequest | undefined {
  const name = params?.["name"];
  if (params === undefined || typeof name !== "string") return undefined;
  const modern = request.era === MODERN_VERSION;
  const { requestState, inputResponses } = params;
  if (modern && requestState !== undefined && typeof requestState !== "string") return undefined;
  if (modern && inputResponses !== undefined && !isRecord(inputResponses)) return undefined;
  // A 2025 request has no such members; what it may carry under these names means nothing.
  const answered = modern && (requestState !== undefined || inputResponses !== undefined);
  return {
    kind: "call",
    ...request,
    name,
    arguments: params["arguments"],
    canElicitForm: modern && canElicitForm(meta?.[META.clientCapabilities]),
    inputResponse: answered ? inputResponseOf(requestState, inputResponses) : undefined,
  };
}

/** Puts the two members of a retried call together, as the parts of one answer. */
export function inputResponseOf(requestState: unknown, inputResponses: unknown): InputResponse {
  return {
    requestState: typeof requestState === "string" ? requestState : undefined,
    // The members of a parsed JSON message are JSON.
    inputResponses: isRecord(inputResponses) ? (inputResponses as InputResponse["inputResponses"]) : {},
  };
}

/** True when the declared client capabilities allow a form: `elicitation: {}` means forms only. */
export function canElicitForm(capabilities: unknown): boolean {
  if (!isRecord(capabilities) || !isRecord(capabilities["elicitation"])) return false;
  const { elicitation } = capabilities;
  return Object.keys(elicitation).length === 0 || isRecord(elicitation["form"]);
}

function isRegularLegacy(headers: RequestHeaders): boolean {
  const version = headers["mcp-protocol-version"];
  return version === undefined || (typeof version === "string" && LEGACY_VERSIONS.has(version));
}

function isRegularModern(method: string, params: Params, meta: Record<string, unknown>, headers: RequestHeaders): boolean {
  if (meta[META.protocolVersion] !== MODERN_VERSION || headers["mcp-protocol-version"] !== MODERN_VERSION) return false;
  if (headers["mcp-method"] !== method) return false;
  if (!hasPlainCapabilities(meta[META.clientCapabilities]) || !isClientInfo(meta[META.clientInfo])) return false;
  if (meta[META.logLevel] !== undefined) return false;
  return method !== "tools/call" || decodeHeader(headers["mcp-name"]) === params?.["name"];
}

/** Capabilities whose members are all objects, as the schema asks of those that it knows. */
function hasPlainCapabilities(capabilities: unknown): boolean {
  return isRecord(capabilities) && Object.values(capabilities).every(isRecord);
}

function isClientInfo(info: unknown): boolean {
  if (info === undefined) return true;
  if (!isRecord(info) || typeof info["name"] !== "string" || typeof info["version"] !== "string") return false;
  const keys = Object.keys(info);
  return keys.length === 2 || (keys.length === 3 && typeof info["title"] === "string");
}

function isProgressToken(token: unknown): boolean {
  return token === undefined || typeof token === "string" || Number.isSafeInteger(token);
}

const SENTINEL = /^=\?base64\?(?<payload>(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/;

/** Decodes `=?base64?…?=`; any other value stands for itself. An invalid encoding answers undefined. */
function decodeHeader(value: string | string[] | undefined): string | undefined {
  if (typeof value !== "string" || !value.startsWith("=?base64?")) return typeof value === "string" ? value : undefined;
  const payload = SENTINEL.exec(value)?.groups?.["payload"];
  if (payload === undefined) return undefined;
  const bytes = Buffer.from(payload, "base64");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : undefined;
}
