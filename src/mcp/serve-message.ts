import type { ServerResponse } from "node:http";

import type { Caller } from "../connections/caller.ts";
import { closestName } from "../lib/closest-name.ts";
import { isRecord } from "../lib/json.ts";
import type { CallTool } from "./call-tool.ts";
import { callFacts, type Exchange } from "./exchange.ts";
import { type FastRequest, readFastRequest } from "./fast-lane.ts";
import { RPC } from "./protocol.ts";
import type { RegisteredTool, Registry } from "./registry.ts";
import type { RequestRows } from "./request-rows.ts";
import { insufficientScope, sendJson, sendJsonAround } from "./responses.ts";
import type { SdkBridge } from "./sdk-bridge.ts";

export interface ServeMessageDeps {
  readonly registry: Registry;
  readonly callTool: CallTool;
  readonly bridge: SdkBridge;
  readonly rows: RequestRows;
}

export interface ServeMessageOptions {
  readonly resourceMetadataUrl: (() => string) | undefined;
  /** True when tests serve more than the registry knows, which only the SDK can answer then. */
  readonly isExtended: boolean;
}

/** Makes the dispatch of messages: `tools/list` and `tools/call` by our own code, everything else by the SDK. */
export function createServeMessage(deps: ServeMessageDeps, options: ServeMessageOptions): (exchange: Exchange) => Promise<void> {
  const { registry, bridge, rows } = deps;
  return async (exchange) => {
    const { req, res, caller, message } = exchange;
    if (caller.source === "oauth" && askForMore(exchange, deps, options)) return;
    const fast = readFastRequest(message, req.headers);
    if (fast?.kind === "list" && !options.isExtended) {
      // Bytes, because encoding the text of the whole list again for each answer would cost more than all the rest.
      sendJsonAround(res, [resultHead(fast), registry.listResult(caller, fast.era), "}"]);
      rows.record(exchange, "tools/list", { outcome: "ok", code: undefined });
      return;
    }
    const registered = fast?.kind === "call" ? registry.find(fast.name) : undefined;
    if (fast?.kind === "call" && registered !== undefined) return serveCall(deps.callTool, exchange, { fast, registered });
    if (fast?.kind === "call" && !options.isExtended) {
      sendUnknownTool(res, fast, namesFor(registry, caller));
      rows.record(exchange, "tools/call", { outcome: "error", code: "unknown_tool" });
      return;
    }
    rows.recordSdk(exchange, await serveBySdk(bridge, exchange));
  };
}

/** Answers the call of a tool beyond the scope of an OAuth caller, whose host can ask the person for more, and then says true. */
function askForMore(exchange: Exchange, { registry, rows }: ServeMessageDeps, options: ServeMessageOptions): boolean {
  const { caller, message, res } = exchange;
  if (caller.scope === "write" || !isRecord(message) || message["method"] !== "tools/call" || !isRecord(message["params"])) return false;
  const { name } = message["params"];
  const tool = typeof name === "string" ? registry.find(name)?.tool : undefined;
  if (tool?.scope !== "write") return false;
  insufficientScope(res, { id: message["id"], tool: tool.name }, options.resourceMetadataUrl?.());
  rows.record(exchange, tool.name, { outcome: "error", code: "scope_insufficient" });
  return true;
}

interface FastCall {
  readonly fast: FastRequest & { readonly kind: "call" };
  readonly registered: RegisteredTool;
}

async function serveCall(callTool: CallTool, exchange: Exchange, { fast, registered }: FastCall): Promise<void> {
  const { era, canElicitForm, inputResponse } = fast;
  const { caller } = exchange;
  const call = { registered, arguments: fast.arguments, caller, era, canElicitForm, inputResponse, ...callFacts(exchange) };
  const result = await callTool(call);
  sendJson(exchange.res, 200, `${resultHead(fast)}${JSON.stringify(result)}}`);
}

/** Answers by the SDK, and tells how many calls of our tools that brought. */
async function serveBySdk(bridge: SdkBridge, exchange: Exchange): Promise<number> {
  const { requestId, ...facts } = callFacts(exchange);
  let calls = 0;
  const nextRequestId = (): string => {
    calls += 1;
    // Each call of a batch has a row of its own, found again by its id.
    return calls === 1 ? requestId : `${requestId}-${calls}`;
  };
  await bridge.handle(exchange.req, exchange.res, { caller: exchange.caller, message: exchange.message, nextRequestId, ...facts });
  return calls;
}

/** The beginning of an answer, up to its result. */
function resultHead(request: FastRequest): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(request.id)},"result":`;
}

/** The names that a caller may call, and those of them that its list shows. */
interface ToolNames {
  readonly callable: readonly string[];
  readonly listed: readonly string[];
}

function namesFor(registry: Registry, caller: Caller): ToolNames {
  return {
    callable: registry.all.filter(({ tool }) => caller.scope === "write" || tool.scope === "read").map(({ tool }) => tool.name),
    listed: registry.visibleTo(caller).map(({ tool }) => tool.name),
  };
}

function sendUnknownTool(res: ServerResponse, request: FastRequest & { kind: "call" }, names: ToolNames): void {
  const nearest = closestName(request.name, names.callable);
  const error = {
    code: RPC.invalidParams,
    message: `Tool ${request.name.slice(0, 128)} not found`,
    data: {
      code: "unknown_tool",
      what_to_do:
        nearest === undefined ? `Call one of: ${names.listed.join(", ")}.` : `Did you mean ${nearest}? tools/list names all tools.`,
    },
  };
  sendJson(res, 200, JSON.stringify({ jsonrpc: "2.0", id: request.id, error }));
}
