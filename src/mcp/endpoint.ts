import type { IncomingMessage, ServerResponse } from "node:http";

import type { Caller } from "../connections/caller.ts";
import { TOOLSET_WORDS } from "../connections/toolsets.ts";
import type { Clock } from "../lib/clock.ts";
import { findJsonLoss } from "../lib/json-loss.ts";
import type { Log } from "../lib/log.ts";
import { readBody } from "../lib/read-body.ts";
import type { AuditLog } from "../storage/audit-log.ts";
import { askedToolsets } from "./asked-toolsets.ts";
import type { Authenticate } from "./authentication.ts";
import type { CallTool } from "./call-tool.ts";
import { clientOf, type Exchange, type RequestFacts } from "./exchange.ts";
import { RPC } from "./protocol.ts";
import type { Registry } from "./registry.ts";
import { createRequestRows, type RequestRows } from "./request-rows.ts";
import { refuse, unauthorized } from "./responses.ts";
import { createSdkBridge } from "./sdk-bridge.ts";
import type { ServerExtension } from "./sdk-server.ts";
import { createServeMessage } from "./serve-message.ts";

/** Largest body taken: a call's arguments are a few hundred bytes. */
export const MAX_BODY_BYTES = 1_048_576;
/** Most requests worked on at the same time; beyond it the answer is "try again" at once, so that memory stays bounded. */
export const MAX_CONCURRENT_REQUESTS = 2_048;

/** Longest part of an unknown name that an answer repeats. */
const MAX_SHOWN_NAME = 40;

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

/** The handler of `/mcp`. */
export interface McpEndpoint {
  handle(req: IncomingMessage, res: ServerResponse, facts: RequestFacts): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes the endpoint: key, body, then `tools/list` and `tools/call` by our own dispatch and everything else by the SDK,
 * with one registry behind both.
 */
export function createMcpEndpoint(deps: EndpointDeps, options: EndpointOptions = {}): McpEndpoint {
  const { registry, callTool, audit, clock, log } = deps;
  const bridge = createSdkBridge({ registry, callTool, log, extend: options.extend });
  const rows = createRequestRows(audit, clock);
  const { resourceMetadataUrl } = options;
  const serve = createServeMessage({ registry, callTool, bridge, rows }, { resourceMetadataUrl, isExtended: options.extend !== undefined });
  const admit = createAdmission(deps, { rows, serve, resourceMetadataUrl });
  const maxConcurrentRequests = options.maxConcurrentRequests ?? MAX_CONCURRENT_REQUESTS;
  let running = 0;

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

interface Admission {
  readonly rows: RequestRows;
  readonly serve: (exchange: Exchange) => Promise<void>;
  readonly resourceMetadataUrl: (() => string) | undefined;
}

/** Makes the way in: who asks and for which tools, then the body as JSON. */
function createAdmission({ authenticate, metrics, clock }: EndpointDeps, { rows, serve, resourceMetadataUrl }: Admission) {
  return async (req: IncomingMessage, res: ServerResponse, facts: RequestFacts): Promise<void> => {
    const startedAt = clock.monotonic();
    const authentication = await authenticate(req.headers.authorization, { address: facts.address, client: clientOf(req) });
    if (authentication.kind === "refused") {
      metrics.unauthorized(authentication.reason);
      unauthorized(res, authentication.reason, resourceMetadataUrl?.());
      return;
    }
    const asked = askedToolsets(req.url);
    const caller: Caller = asked === undefined ? authentication.caller : { ...authentication.caller, toolsets: asked.toolsets };
    const request = { ...facts, req, res, caller, startedAt };
    const refuseBody = (status: number, code: string, message: string): void => {
      rows.record(request, "invalid", { outcome: "error", code });
      refuse(res, status, code === "parse_error" ? RPC.parseError : RPC.refused, message);
    };
    const [unknownToolset] = asked?.unknown ?? [];
    if (unknownToolset !== undefined) {
      const name = JSON.stringify(unknownToolset.slice(0, MAX_SHOWN_NAME));
      refuseBody(400, "unknown_toolset", `There is no toolset ${name}: the address may name any of ${TOOLSET_WORDS.join(", ")}.`);
      return;
    }
    if (!isJson(req.headers["content-type"])) {
      refuseBody(415, "not_json", "The body must be JSON: send the header Content-Type: application/json.");
      return;
    }
    const body = await readBody(req, MAX_BODY_BYTES);
    switch (body.kind) {
      case "hung_up":
        res.destroy();
        return;
      case "too_large":
        res.setHeader("Connection", "close");
        refuseBody(413, "too_large", `The body is larger than ${MAX_BODY_BYTES} bytes.`);
        return;
      case "text": {
        const message = parse(body.text);
        if (message !== undefined) return serve({ ...request, message, loss: findJsonLoss(body.text, "arguments") });
        refuseBody(400, "parse_error", "Parse error: the body is not valid JSON.");
      }
    }
  };
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
