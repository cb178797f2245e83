import type { IncomingMessage, ServerResponse } from "node:http";

import type { Caller } from "../connections/caller.ts";
import { closestName } from "../lib/closest-name.ts";
import type { Clock } from "../lib/clock.ts";
import { isRecord } from "../lib/json.ts";
import type { Log } from "../lib/log.ts";
import type { AuditEnd, AuditLog } from "../storage/audit-log.ts";
import type { Authenticate } from "./authentication.ts";
import type { CallTool } from "./call-tool.ts";
import { type FastRequest, readFastRequest } from "./fast-lane.ts";
import { RPC } from "./protocol.ts";
import { readBody } from "../lib/read-body.ts";
import type { RegisteredTool, Registry } from "./registry.ts";
import { insufficientScope, refuse, sendJson, unauthorized } from "./responses.ts";
import { createSdkBridge } from "./sdk-bridge.ts";
import type { ServerExtension } from "./sdk-server.ts";

/** Largest body taken: a call's arguments are a few hundred bytes. */
export const MAX_BODY_BYTES = 1_048_576;
/** Most requests worked on at the same time; beyond it the answer is "try again" at once, so that memory stays bounded. */
export const MAX_CONCURRENT_REQUESTS = 2_048;

/** Told of what the endpoint answers without calling a tool. */
export interface EndpointMetrics {
  unauthorized(reason: "missing" | "invalid"): void;
}

export interface EndpointDeps {
  readonly registry: Registry;
  readonly callTool: CallTool;
  readonly authenticate: Authenticate;
  readonly audit: Pick<AuditLog, "record" | "hasRoom">;
  readonly metrics: EndpointMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

export interface EndpointOptions {
  /** Where the OAuth protected resource metadata is. */
  readonly resourceMetadataUrl?: (() => string) | undefined;
  readonly maxConcurrentRequests?: number | undefined;
  /** For tests only: what else to serve behind the same transport and bearer check. */
  readonly extend?: ServerExtension | undefined;
}

/** What the HTTP server knows of a request: its id and the client's address. Host and Origin have been checked. */
export interface RequestFacts {
  readonly requestId: string;
  readonly address: string | undefined;
}

/** The handler of `/mcp`. */
export interface McpEndpoint {
  handle(req: IncomingMessage, res: ServerResponse, facts: RequestFacts): Promise<void>;
  close(): Promise<void>;
}

/** An authenticated request with its parsed body. */
interface Exchange extends RequestFacts {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly caller: Caller;
  readonly message: unknown;
  readonly startedAt: number;
}

/**
 * Makes the endpoint: key, body, then `tools/list` and `tools/call` by our own dispatch and everything else by the SDK,
 * with one registry behind both.
 */
export function createMcpEndpoint(deps: EndpointDeps, options: EndpointOptions = {}): McpEndpoint {
  const { registry, callTool, audit, clock, log } = deps;
  const bridge = createSdkBridge({ registry, callTool, log, extend: options.extend });
  const maxConcurrentRequests = options.maxConcurrentRequests ?? MAX_CONCURRENT_REQUESTS;
  let running = 0;

  async function serve(exchange: Exchange): Promise<void> {
    const { req, res, caller, message } = exchange;
    if (caller.source === "oauth" && askForMore(exchange)) return;
    const fast = readFastRequest(message, req.headers);
    if (fast?.kind === "list" && options.extend === undefined) {
      // Bytes, because encoding the text of the whole list again for each answer would cost more than all the rest.
      sendJson(res, 200, Buffer.concat([Buffer.from(resultHead(fast)), registry.listResult(caller.scope, fast.era), RESULT_END]));
      recordRequest(exchange, "tools/list", "ok", undefined);
      return;
    }
    if (fast?.kind === "call") {
      const registered = registry.find(fast.name);
      if (registered !== undefined) {
        await serveCall(exchange, fast, registered);
        return;
      }
      if (options.extend === undefined) {
        sendUnknownTool(res, fast, registry.visibleTo(caller.scope));
        recordRequest(exchange, "tools/call", "error", "unknown_tool");
        return;
      }
    }
    await bridge.handle(req, res, { caller, message, ...callFacts(exchange) });
    recordSdkRequest(exchange);
  }

  /** Answers the call of a tool beyond the scope of an OAuth caller, whose host can ask the person for more, and then says true. */
  function askForMore(exchange: Exchange): boolean {
    const { caller, message, res } = exchange;
    if (caller.scope === "write" || !isRecord(message) || message["method"] !== "tools/call" || !isRecord(message["params"])) return false;
    const { name } = message["params"];
    const tool = typeof name === "string" ? registry.find(name)?.tool : undefined;
    if (tool?.scope !== "write") return false;
    insufficientScope(res, { id: message["id"], tool: tool.name }, options.resourceMetadataUrl?.());
    recordRequest(exchange, tool.name, "error", "scope_insufficient");
    return true;
  }

  async function serveCall(exchange: Exchange, fast: FastRequest & { kind: "call" }, registered: RegisteredTool): Promise<void> {
    const { era, canElicitForm, inputResponse } = fast;
    const facts = callFacts(exchange);
    const { caller } = exchange;
    const result = await callTool({ registered, arguments: fast.arguments, caller, era, canElicitForm, inputResponse, ...facts });
    sendJson(exchange.res, 200, `${resultHead(fast)}${JSON.stringify(result)}}`);
  }

  /** Writes the row of a request that called no tool of ours. */
  function recordRequest(exchange: Exchange, method: string, outcome: AuditEnd["outcome"], code: string | undefined): void {
    const { caller, requestId, address } = exchange;
    const end = { outcome, code, durationUs: Math.round((clock.monotonic() - exchange.startedAt) * 1000), upstreamCalls: 0 };
    const who = {
      userId: caller.userId,
      callerId: caller.id,
      source: caller.source,
      scope: caller.scope,
      connectionId: caller.connectionId,
    };
    audit.record({ requestId, at: clock.now(), ...who, tool: method, arguments: "{}", client: clientOf(exchange.req), address }, end);
  }

  /** What the SDK has answered; calls of our tools have had their row from call-tool.ts. */
  function recordSdkRequest(exchange: Exchange): void {
    const { message, res } = exchange;
    const method = methodOf(message);
    const name = isRecord(message) && isRecord(message["params"]) ? message["params"]["name"] : undefined;
    const calledOurs = method === "tools/call" && typeof name === "string" && registry.find(name) !== undefined;
    if (calledOurs && res.statusCode === 200) return;
    recordRequest(exchange, method, res.statusCode < 400 ? "ok" : "error", res.statusCode < 400 ? undefined : `http_${res.statusCode}`);
  }

  async function admit(req: IncomingMessage, res: ServerResponse, facts: RequestFacts): Promise<void> {
    const startedAt = clock.monotonic();
    const authentication = await deps.authenticate(req.headers.authorization, { address: facts.address, client: clientOf(req) });
    if (authentication.kind === "refused") {
      deps.metrics.unauthorized(authentication.reason);
      unauthorized(res, authentication.reason, options.resourceMetadataUrl?.());
      return;
    }
    if (!isJson(req.headers["content-type"])) {
      refuse(res, 415, RPC.refused, "The body must be JSON: send the header Content-Type: application/json.");
      return;
    }
    const { caller } = authentication;
    const body = await readBody(req, MAX_BODY_BYTES);
    switch (body.kind) {
      case "hung_up":
        res.destroy();
        return;
      case "too_large":
        res.setHeader("Connection", "close");
        refuse(res, 413, RPC.refused, `The body is larger than ${MAX_BODY_BYTES} bytes.`);
        return;
      case "text": {
        const exchange = { ...facts, req, res, caller, startedAt, message: parse(body.text) };
        if (exchange.message !== undefined) return serve(exchange);
        recordRequest(exchange, "invalid", "error", "parse_error");
        refuse(res, 400, RPC.parseError, "Parse error: the body is not valid JSON.");
      }
    }
  }

  return {
    handle: async (req, res, facts) => {
      if (req.method !== "POST") {
        res.setHeader("Allow", "POST");
        refuse(res, 405, RPC.refused, "This is an MCP endpoint: send JSON-RPC messages by POST, with an API key as bearer token.");
        return;
      }
      if (running >= maxConcurrentRequests) {
        res.setHeader("Retry-After", "1");
        refuse(res, 503, RPC.refused, "Too many requests at once. Try again in a second.");
        return;
      }
      if (!audit.hasRoom()) {
        res.setHeader("Retry-After", "5");
        refuse(res, 503, RPC.refused, "The gateway can't put calls on record at the moment and so takes none. Try again in a few seconds.");
        return;
      }
      running += 1;
      try {
        await admit(req, res, facts);
      } catch (error) {
        log.error({ err: error, requestId: facts.requestId }, "a request to /mcp failed unexpectedly");
        refuse(res, 500, RPC.internal, `Internal error (request ${facts.requestId}).`);
      } finally {
        running -= 1;
      }
    },
    close: () => bridge.close(),
  };
}

function callFacts({ req, res, requestId, address }: Exchange) {
  return { requestId, address, client: clientOf(req), whenHungUp: (listener: () => void) => onHangUp(res, listener) };
}

function onHangUp(res: ServerResponse, listener: () => void): void {
  res.once("close", () => {
    if (!res.writableEnded) listener();
  });
}

function clientOf(req: IncomingMessage): string | undefined {
  return req.headers["user-agent"]?.slice(0, 200);
}

function isJson(contentType: string | undefined): boolean {
  if (contentType === "application/json") return true;
  return contentType?.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}

/** The parsed body, or undefined when it isn't JSON (JSON itself can't say undefined). */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function methodOf(message: unknown): string {
  if (Array.isArray(message)) return "batch";
  return isRecord(message) && typeof message["method"] === "string" ? message["method"].slice(0, 64) : "invalid";
}

const RESULT_END = Buffer.from("}");

/** The beginning of an answer, up to its result. */
function resultHead(request: FastRequest): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(request.id)},"result":`;
}

function sendUnknownTool(res: ServerResponse, request: FastRequest & { kind: "call" }, visible: readonly RegisteredTool[]): void {
  const names = visible.map(({ tool }) => tool.name);
  const nearest = closestName(request.name, names);
  const error = {
    code: RPC.invalidParams,
    message: `Tool ${request.name.slice(0, 128)} not found`,
    data: {
      code: "unknown_tool",
      what_to_do: nearest === undefined ? `Call one of: ${names.join(", ")}.` : `Did you mean ${nearest}? tools/list names all tools.`,
    },
  };
  sendJson(res, 200, JSON.stringify({ jsonrpc: "2.0", id: request.id, error }));
}
