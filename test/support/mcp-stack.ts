import type { ServerResponse } from "node:http";

import { z } from "zod";

import type { Broker } from "../../src/broker/broker.ts";
import type { Caller } from "../../src/connections/caller.ts";
import { createMetrics, type Metrics } from "../../src/http/metrics.ts";
import { createHttpServer, type HttpServer, type HttpServerOptions } from "../../src/http/server.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { GatewayError } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { type CallToolDeps, createCallTool } from "../../src/mcp/call-tool.ts";
import { createDeadlines } from "../../src/mcp/deadlines.ts";
import { defineTool, type Tool } from "../../src/mcp/define-tool.ts";
import { createErrorLink } from "../../src/mcp/error-links.ts";
import { createMcpEndpoint, type EndpointOptions } from "../../src/mcp/endpoint.ts";
import { createRegistry, type Registry } from "../../src/mcp/registry.ts";
import type { AuditEnd, AuditStart } from "../../src/storage/audit-log.ts";
import { recordingLog } from "./silent-log.ts";

/** Keys that the stack knows. */
export const KEYS = { write: "ibkr_write", read: "ibkr_read" } as const;

export interface AuditRow {
  readonly start: AuditStart;
  /** Undefined until the call that `begin` announced has ended. */
  end: AuditEnd | undefined;
  readonly begun: boolean;
}

export interface McpStackOptions extends EndpointOptions {
  readonly tools?: readonly Tool[];
  readonly clock?: Clock;
  readonly http?: Partial<HttpServerOptions>;
  readonly beginFails?: boolean;
}

/** The protocol's own parts, wired as the gateway wires them, with tools of the tests and rows kept in memory. */
export interface McpStack {
  readonly url: string;
  readonly server: HttpServer;
  readonly registry: Registry;
  readonly rows: readonly AuditRow[];
  readonly logged: readonly unknown[];
  readonly metrics: Metrics;
  post(message: unknown, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

export async function startMcpStack(options: McpStackOptions = {}): Promise<McpStack> {
  const clock = options.clock ?? systemClock;
  const rows: AuditRow[] = [];
  const { log, lines: logged } = recordingLog();
  const serverInfo = { name: "ibkr-gateway", title: "IBKR Gateway", version: "0.0.0" };
  const registry = createRegistry(options.tools ?? TEST_TOOLS, serverInfo);
  const metrics = createMetrics();
  const deadlines = createDeadlines(clock);
  const audit = memoryAudit(rows, options.beginFails ?? false);
  // The tools of these tests never reach the broker behind the connection.
  const broker = { mode: "simulated" } as Broker;
  const deps: CallToolDeps = {
    connections: {
      open: ({ connectionId }) => Promise.resolve({ connectionId, label: "test", broker }),
      health: () => Promise.resolve(undefined),
    },
    trading: { reconcile: () => Promise.resolve(), close: () => Promise.resolve() } as CallToolDeps["trading"],
    audit,
    metrics,
    clock,
    log,
    deadlines,
    serverInfo,
    errorLink: createErrorLink(() => "http://gateway.test"),
    pageUrl: (path) => `http://gateway.test${path}`,
    pinAccount: () => Promise.resolve(),
  };
  const authenticate = (authorization: string | undefined) => {
    if (authorization === undefined) return { kind: "refused", reason: "missing" } as const;
    const scope = authorization === `Bearer ${KEYS.write}` ? "write" : authorization === `Bearer ${KEYS.read}` ? "read" : undefined;
    return scope === undefined
      ? ({ kind: "refused", reason: "invalid" } as const)
      : ({ kind: "caller", caller: callerWith(scope) } as const);
  };
  const mcp = createMcpEndpoint({ registry, callTool: createCallTool(deps), authenticate, audit, metrics, clock, log }, options);
  const server = createHttpServer(
    {
      mcp,
      oauth: () => ({ handle: notHere }),
      metrics,
      healthChecks: { database: () => Promise.resolve() },
      clock,
      random: systemRandom,
      log,
      version: "0.0.0",
    },
    { host: "127.0.0.1", port: 0, ...options.http },
  );
  const url = await server.listen();
  return {
    url,
    server,
    registry,
    rows,
    logged,
    metrics,
    post: (message, headers = {}) =>
      fetch(`${url}/mcp`, {
        method: "POST",
        headers: { Authorization: `Bearer ${KEYS.write}`, "Content-Type": "application/json", ...headers },
        body: typeof message === "string" ? message : JSON.stringify(message),
      }),
    close: async () => {
      await server.close();
      deadlines.close();
    },
  };
}

function callerWith(scope: Caller["scope"]): Caller {
  return {
    id: `key_${scope}`,
    source: "apikey",
    nameSpace: `key_${scope}`,
    userId: "user_1",
    connectionId: "connection_1",
    scope,
    allowedAccountIds: undefined,
    pinnedAccountId: undefined,
    toolsets: [],
  };
}

function memoryAudit(rows: AuditRow[], beginFails: boolean): CallToolDeps["audit"] & { hasRoom(): boolean } {
  return {
    hasRoom: () => true,
    record: (start, end) => void rows.push({ start, end, begun: false }),
    begin: (start) => {
      if (beginFails) return Promise.reject(new Error("disk full"));
      rows.push({ start, end: undefined, begun: true });
      return Promise.resolve();
    },
    complete: (requestId, end) => {
      const row = rows.find((candidate) => candidate.start.requestId === requestId && candidate.begun);
      if (row === undefined) return Promise.reject(new Error(`no row ${requestId}`));
      row.end = end;
      return Promise.resolve();
    },
  };
}

const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true };
const outputSchema = { type: "object", properties: { echo: { type: "object" } }, required: ["echo"] };

/** A read, a change, a question to a person, and failures of both kinds. */
export const TEST_TOOLS: readonly Tool[] = [
  defineTool({
    name: "echo",
    title: "Echo",
    description: "Answers its arguments.",
    scope: "read",
    annotations,
    input: z.strictObject({
      symbol: z.string("must be a text").optional().describe("A ticker."),
      limit: z.int("must be a whole number").optional(),
    }),
    outputSchema,
    run: (args, { canElicitForm, inputResponse }) =>
      Promise.resolve({
        kind: "complete",
        structured: JSON.parse(JSON.stringify({ echo: args, can_elicit_form: canElicitForm, input_response: inputResponse })),
        text: "Echoed.",
      }),
  }),
  defineTool({
    name: "change",
    title: "Change",
    description: "Changes something.",
    scope: "write",
    annotations: { ...annotations, readOnlyHint: false, destructiveHint: true },
    input: z.strictObject({ confirm_token: z.string().optional() }),
    outputSchema,
    run: (args) =>
      Promise.resolve({ kind: "complete", structured: { echo: { confirm_token: args.confirm_token ?? "" } }, text: "Changed." }),
  }),
  defineTool({
    name: "ask",
    title: "Ask",
    description: "Asks the person, where it can.",
    scope: "write",
    annotations: { ...annotations, readOnlyHint: false },
    input: z.strictObject({}),
    outputSchema,
    run: (_args, { canElicitForm, inputResponse }) =>
      Promise.resolve(
        canElicitForm && inputResponse === undefined
          ? {
              kind: "input_required",
              inputRequests: {
                confirm: {
                  method: "elicitation/create",
                  params: {
                    message: "Go on?",
                    requestedSchema: { type: "object", properties: { yes: { type: "boolean" } }, required: ["yes"] },
                  },
                },
              },
              requestState: "state-1",
            }
          : {
              kind: "complete",
              structured: { echo: { requestState: inputResponse?.requestState ?? "none", answers: inputResponse?.inputResponses ?? {} } },
              text: "Asked.",
            },
      ),
  }),
  defineTool({
    name: "refuse",
    title: "Refuse",
    description: "Fails as told.",
    scope: "read",
    annotations,
    input: z.strictObject({}),
    outputSchema,
    run: () =>
      Promise.reject(
        new GatewayError("rate_limited", "Too fast.", {
          whatToDo: "Wait.",
          retryAfterSeconds: 3,
          link: "https://example.test/help",
          details: { seen: 2 },
        }),
      ),
  }),
  defineTool({
    name: "crash",
    title: "Crash",
    description: "Fails unexpectedly.",
    scope: "read",
    annotations,
    input: z.strictObject({}),
    outputSchema,
    run: () => Promise.reject(new Error("secret internals")),
  }),
];

/** These stacks have no authorization server. */
function notHere(_req: unknown, res: ServerResponse): Promise<void> {
  res.statusCode = 404;
  res.end();
  return Promise.resolve();
}
