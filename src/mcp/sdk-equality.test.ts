import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { KEYS, type McpStack, startMcpStack, TEST_TOOLS } from "../../test/support/mcp-stack.ts";
import { z } from "zod";

import { defineTool } from "./define-tool.ts";

/** Named as a tool of a set that these callers don't list. */
const beyondCore = defineTool({
  name: "get_futures",
  title: "Beyond the core",
  description: "Is in a toolset.",
  scope: "read",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({}),
  outputSchema: { type: "object" },
  run: () => Promise.resolve({ kind: "complete", structured: { futures: [] }, text: "None." }),
});

let stack: McpStack;
beforeAll(async () => {
  stack = await startMcpStack({ tools: [...TEST_TOOLS, beyondCore] });
});
afterAll(() => stack.close());

const ENVELOPE = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };
/** A batch of one goes to the SDK, and so does a request whose envelope names a log level: each is otherwise the same request. */
const LOG_LEVEL = { "io.modelcontextprotocol/logLevel": "error" };

async function post(message: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  return (await stack.post(message, headers)).json();
}

const REQUESTS = [
  ["tools/list", {}],
  ["tools/call", { name: "echo", arguments: { symbol: "AAPL" } }],
  ["tools/call", { name: "echo", arguments: { symbl: "AAPL" } }],
  ["tools/call", { name: "change" }],
  ["tools/call", { name: "ask" }],
  ["tools/call", { name: "refuse" }],
  ["tools/call", { name: "get_futures" }],
] as const;

describe("our own dispatch and the SDK's answer alike", () => {
  test.each(REQUESTS)("before 2026: %s %j", async (method, params) => {
    const message = { jsonrpc: "2.0", id: 1, method, params };
    const ours = await post(message);
    expect(await post([message])).toEqual(ours);
    expect(ours).toHaveProperty("result");
  });

  test.each(REQUESTS)("2026-07-28: %s %j", async (method, params) => {
    const headers = {
      "MCP-Protocol-Version": "2026-07-28",
      "Mcp-Method": method,
      ...("name" in params ? { "Mcp-Name": params.name } : {}),
    };
    const withMeta = (meta: object) => ({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: { ...ENVELOPE, ...meta } } });
    const ours = await post(withMeta({}), headers);
    expect(await post(withMeta(LOG_LEVEL), headers)).toEqual(ours);
    expect(ours).toHaveProperty("result");
  });
});

describe("clients", () => {
  const requestInit = { headers: { Authorization: `Bearer ${KEYS.write}` } };

  test("the SDK 1.x client lists and calls, and shows the message of an error", async () => {
    const client = new LegacyClient({ name: "one", version: "1" });
    await client.connect(new LegacyTransport(new URL(`${stack.url}/mcp`), { requestInit }));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("echo");
    const answer = await client.callTool({ name: "echo", arguments: { symbol: "AAPL" } });
    expect(answer.structuredContent).toMatchObject({ echo: { symbol: "AAPL" } });
    const refused = await client.callTool({ name: "refuse", arguments: {} });
    expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("Too fast.") }] });
    await client.close();
  });

  test.each(["auto", "2026-07-28"] as const)("the SDK 2.x client lists and calls (%s)", async (mode) => {
    const versionNegotiation = mode === "auto" ? ({ mode: "auto" } as const) : ({ mode: { pin: "2026-07-28" } } as const);
    const client = new ModernClient({ name: "two", version: "2" }, { versionNegotiation });
    await client.connect(new ModernTransport(new URL(`${stack.url}/mcp`), { requestInit }));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("echo");
    const answer = await client.callTool({ name: "echo", arguments: { symbol: "AAPL" } });
    expect(answer).toMatchObject({ structuredContent: { echo: { symbol: "AAPL" } } });
    await client.close();
  });
});
