import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { KEYS, type McpStack, startMcpStack } from "../../test/support/mcp-stack.ts";

let stack: McpStack;
beforeAll(async () => {
  stack = await startMcpStack();
});
afterAll(() => stack.close());

const META_2026 = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

function modern(method: string, params: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const name = typeof params["name"] === "string" ? { "Mcp-Name": params["name"] } : {};
  return stack.post(
    { jsonrpc: "2.0", id: 7, method, params: { ...params, _meta: META_2026 } },
    { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, ...name, ...headers },
  );
}

const legacy = (method: string, params?: unknown, headers: Record<string, string> = {}) =>
  stack.post({ jsonrpc: "2.0", id: 7, method, params }, headers);

async function json(response: Response | Promise<Response>): Promise<any> {
  return (await response).json();
}

describe("without initialize", () => {
  test("curl's plain request lists the tools as plain JSON", async () => {
    const { stdout } = await promisify(execFile)("curl", [
      "-sS",
      `${stack.url}/mcp`,
      "-H",
      `Authorization: Bearer ${KEYS.write}`,
      "-H",
      "Content-Type: application/json",
      "-d",
      '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    ]);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ jsonrpc: "2.0", id: 1 });
    expect(answer.result.tools.map((tool: { name: string }) => tool.name)).toEqual(["echo", "change", "ask", "refuse", "crash"]);
  });

  test("a tool is called", async () => {
    const answer = await json(legacy("tools/call", { name: "echo", arguments: { symbol: "AAPL" } }));
    expect(answer).toEqual({
      jsonrpc: "2.0",
      id: 7,
      result: {
        content: [{ type: "text", text: "Echoed." }],
        structuredContent: { echo: { symbol: "AAPL" }, can_elicit_form: false },
      },
    });
  });
});

describe("2026-07-28", () => {
  test("lists with cache hints and calls with a result type, both with serverInfo", async () => {
    const list = await json(modern("tools/list"));
    expect(list.result).toMatchObject({ resultType: "complete", ttlMs: 300_000, cacheScope: "private" });
    const call = await json(modern("tools/call", { name: "echo" }));
    expect(call.result).toMatchObject({ resultType: "complete", structuredContent: { echo: {} } });
    expect(call.result._meta["io.modelcontextprotocol/serverInfo"].name).toBe("ibkr-gateway");
  });
});
