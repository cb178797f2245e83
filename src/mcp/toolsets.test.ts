import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { KEYS, type McpStack, startMcpStack, TEST_TOOLS } from "../../test/support/mcp-stack.ts";
import { TOOLSETS } from "../connections/toolsets.ts";
import { defineTool, type Tool } from "./define-tool.ts";

/** A tool of this name that answers nothing else. */
function plainTool(name: string): Tool {
  return defineTool({
    name,
    title: name,
    description: name,
    scope: "read",
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    input: z.strictObject({}),
    outputSchema: { type: "object" },
    run: () => Promise.resolve({ kind: "complete", structured: { answered: name }, text: name }),
  });
}

const CORE = TEST_TOOLS.map(({ name }) => name);
const [reports = [], derivatives = [], research = []] = TOOLSETS.map(({ tools }) => tools.map(String));

let stack: McpStack;
beforeAll(async () => {
  stack = await startMcpStack({ tools: [...TEST_TOOLS, ...[...reports, ...derivatives, ...research].map(plainTool)] });
});
afterAll(() => stack.close());

const answerShape = z.looseObject({
  result: z
    .looseObject({ tools: z.array(z.looseObject({ name: z.string() })).optional(), structuredContent: z.unknown().optional() })
    .optional(),
  error: z.looseObject({ code: z.number(), message: z.string(), data: z.looseObject({ what_to_do: z.string() }).optional() }).optional(),
});

async function send(query: string, message: object, key: string = KEYS.write) {
  const response = await fetch(`${stack.url}/mcp${query}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify(message),
  });
  return { status: response.status, ...answerShape.parse(await response.json()) };
}

async function listed(query: string, key?: string): Promise<unknown> {
  const { result } = await send(query, { jsonrpc: "2.0", id: 1, method: "tools/list" }, key);
  return result?.tools?.map(({ name }) => name);
}

const callOf = (name: string) => ({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name } });

describe("the list of tools", () => {
  test.each([
    ["", CORE],
    ["?toolsets=core", CORE],
    ["?toolsets=", CORE],
    ["?toolsets=derivatives", [...CORE, ...derivatives]],
    ["?toolsets=Research,reports", [...CORE, ...reports, ...research]],
    ["?toolsets=research+reports", [...CORE, ...reports, ...research]],
    ["?toolsets=reports&toolsets=research&x=1", [...CORE, ...reports, ...research]],
    ["?toolsets=all", [...CORE, ...reports, ...derivatives, ...research]],
    ["?other=research", CORE],
  ])("at /mcp%s", async (query, names) => {
    expect(await listed(query)).toEqual(names);
  });

  test("never shows a caller more than its scope", async () => {
    expect(await listed("?toolsets=all", KEYS.read)).not.toContain("change");
    expect(await listed("?toolsets=all", KEYS.read)).toEqual(expect.arrayContaining(research));
  });

  test("of a batch is the same", async () => {
    const response = await fetch(`${stack.url}/mcp?toolsets=reports`, {
      method: "POST",
      headers: { Authorization: `Bearer ${KEYS.write}`, "Content-Type": "application/json" },
      body: JSON.stringify([{ jsonrpc: "2.0", id: 1, method: "tools/list" }]),
    });
    const body: unknown = await response.json();
    const answer = answerShape.parse(Array.isArray(body) ? body[0] : body);
    expect(answer.result?.tools?.map(({ name }) => name)).toEqual([...CORE, ...reports]);
  });
});

test("an address with an unknown toolset is refused with those that exist", async () => {
  for (const method of ["tools/list", "initialize", "ping"]) {
    const answer = await send("?toolsets=reports,orders", { jsonrpc: "2.0", id: 1, method, params: {} });
    expect(answer.status).toBe(400);
    expect(answer.error?.message).toBe(
      'There is no toolset "orders": the address may name any of core, reports, derivatives, research, all.',
    );
  }
});

test("a tool that isn't listed can be called, and a misspelt one is named", async () => {
  expect((await send("", callOf("get_futures"))).result?.structuredContent).toEqual({ answered: "get_futures" });
  expect((await send("?toolsets=core", callOf("run_scanner"), KEYS.read)).result?.structuredContent).toEqual({ answered: "run_scanner" });
  const unknown = await send("", callOf("get_future"));
  expect(unknown.error?.data?.what_to_do).toContain("get_futures");
});

test("a call beyond the scope is refused alike by our own dispatch and by the SDK", async () => {
  const [alone, batch] = await Promise.all(
    [callOf("change"), [callOf("change")]].map(async (message) => {
      const response = await fetch(`${stack.url}/mcp`, {
        method: "POST",
        headers: { Authorization: `Bearer ${KEYS.read}`, "Content-Type": "application/json" },
        body: JSON.stringify(message),
      });
      const body: unknown = await response.json();
      return body;
    }),
  );
  expect(batch).toEqual(alone);
  expect(JSON.stringify(alone)).toContain("scope_insufficient");
});
