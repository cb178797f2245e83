import {
  type CallToolResult,
  type ListToolsResult,
  McpServer,
  type ServerContext,
  type ServerOptions,
  type StandardSchemaWithJSON,
} from "@modelcontextprotocol/server";

import type { Caller } from "../connections/caller.ts";
import type { JsonLoss } from "../lib/json-loss.ts";
import type { JsonObject } from "../lib/json.ts";
import type { CallTool } from "./call-tool.ts";
import { canElicitForm, inputResponseOf } from "./fast-lane.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { type Era, META, MODERN_VERSION } from "./protocol.ts";
import { LIST_TTL_MS, type RegisteredTool, type Registry } from "./registry.ts";

/** Who asks the SDK's server for something, and how. */
export interface SdkRequest {
  readonly caller: Caller;
  readonly era: Era;
  /** Gives the id of the next call in this request; a batch brings several. */
  readonly nextRequestId: () => string;
  readonly loss: JsonLoss | undefined;
  readonly client: string | undefined;
  readonly address: string | undefined;
  readonly whenHungUp: (listener: () => void) => void;
}

/** One 2025-era request for the SDK: the request, its parsed body, and how to make a server for it. */
export interface LegacyExchange {
  readonly request: Request;
  readonly message: unknown;
  readonly createServer: () => McpServer;
}

/** What only tests serve, behind the same transport and bearer check: the fixtures of the conformance suite. */
export interface ServerExtension {
  register(server: McpServer): void;
  /** Checks `requestState` before a tool runs. */
  readonly requestState?: ServerOptions["requestState"];
  /**
   * Answers a 2025-era request in place of the session-less JSON leg, or leaves it to that: requests from server to
   * client need a session there.
   */
  readonly serveLegacy?: (exchange: LegacyExchange) => Promise<Response | undefined>;
}

export interface SdkServerDeps {
  readonly registry: Registry;
  readonly callTool: CallTool;
  readonly extend?: ServerExtension | undefined;
}

/**
 * Makes the SDK's server for one request, with the same registry as the fast lane: every tool can be called, since call-tool.ts checks
 * the scope, and those of the caller's scope and toolsets are listed.
 */
export function createSdkServer(deps: SdkServerDeps, request: SdkRequest): McpServer {
  const cacheHint = { ttlMs: LIST_TTL_MS, cacheScope: "private" } as const;
  const server = new McpServer(
    { ...deps.registry.serverInfo },
    {
      instructions: INSTRUCTIONS,
      capabilities: { tools: { listChanged: false } },
      ...(deps.extend?.requestState === undefined ? {} : { requestState: deps.extend.requestState }),
      cacheHints: { "tools/list": cacheHint, "server/discover": cacheHint },
    },
  );
  const { registry, extend } = deps;
  for (const registered of extend === undefined ? registry.all : registry.visibleTo(request.caller))
    registerTool(server, registered, deps.callTool, request);
  // The extension's tools are known to the SDK alone, which then makes the list.
  if (extend === undefined) server.server.setRequestHandler("tools/list", () => listResult(registry.listEntries(request.caller)));
  else extend.register(server);
  return server;
}

function listResult(entries: readonly JsonObject[]): ListToolsResult {
  // registry.ts makes exactly the entries of tools/list.
  return { tools: entries as unknown as ListToolsResult["tools"] };
}

function registerTool(server: McpServer, registered: RegisteredTool, callTool: CallTool, request: SdkRequest): void {
  const { tool, inputSchema } = registered;
  const { nextRequestId, ...facts } = request;
  server.registerTool(
    tool.name,
    {
      title: tool.title,
      description: tool.description,
      inputSchema: publishedSchema(inputSchema),
      outputSchema: publishedSchema(tool.outputSchema),
      annotations: tool.annotations,
    },
    async (given: unknown, context: ServerContext) => {
      const result = await callTool({
        registered,
        arguments: given,
        requestId: nextRequestId(),
        ...facts,
        ...modernParts(request.era, context),
      });
      // call-tool.ts renders exactly the result of tools/call in the request's era.
      return result as unknown as CallToolResult;
    },
  );
}

function modernParts(era: Era, { mcpReq }: ServerContext) {
  const modern = era === MODERN_VERSION;
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
  const requestState: unknown = mcpReq.requestState();
  const answered = modern && (mcpReq.inputResponses !== undefined || requestState !== undefined);
  return {
    canElicitForm: modern && canElicitForm(envelope[META.clientCapabilities]),
    inputResponse: answered ? inputResponseOf(requestState, mcpReq.inputResponses) : undefined,
  };
}

/** A schema that publishes our JSON Schema and checks nothing, because call-tool.ts does. */
function publishedSchema(json: JsonObject): StandardSchemaWithJSON<unknown, unknown> {
  const publish = () => ({ ...json });
  return {
    "~standard": {
      version: 1,
      vendor: "ibkr-gateway",
      validate: (value) => ({ value }),
      jsonSchema: { input: publish, output: publish },
    },
  };
}
