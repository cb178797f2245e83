import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";

import { KEYS, type McpStack, type McpStackOptions, startMcpStack } from "../../test/support/mcp-stack.ts";
import { systemClock } from "../lib/clock.ts";
import { defineTool, type Tool, type ToolAnswer } from "./define-tool.ts";

const stacks: McpStack[] = [];
afterEach(async () => {
  for (const stack of stacks.splice(0)) await stack.close();
});

async function start(options: McpStackOptions): Promise<McpStack> {
  const stack = await startMcpStack(options);
  stacks.push(stack);
  return stack;
}

/** A clock whose durations run 200 times as fast, so that a call's limit passes in a fraction of a second. */
const fastClock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 200,
  wait: (ms: number, signal?: AbortSignal) => systemClock.wait(ms / 200, signal),
  every: (ms: number, action: () => void) => systemClock.every(Math.max(1, ms / 200), action),
};

/** A tool that runs until the test lets it end; it doesn't listen to its signal. */
function slowTool(name: string, changes: boolean) {
  const { promise, resolve } = Promise.withResolvers<ToolAnswer>();
  const started = Promise.withResolvers<AbortSignal>();
  const tool = defineTool({
    name,
    title: name,
    description: name,
    scope: changes ? "write" : "read",
    annotations: { readOnlyHint: !changes, destructiveHint: changes, idempotentHint: false, openWorldHint: true },
    input: z.strictObject({}),
    outputSchema: { type: "object" },
    run: (_args, { call }) => {
      started.resolve(call.signal);
      return promise;
    },
  });
  const end = (): void => resolve({ kind: "complete", structured: {}, text: "Done." });
  return { tool, end, started: started.promise };
}

const call = (name: string, args: unknown = {}) => ({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } });

async function errorCode(response: Promise<Response>): Promise<unknown> {
  const shape = z.object({
    result: z.looseObject({ isError: z.literal(true), content: z.tuple([z.object({ type: z.string(), text: z.string() })]) }),
  });
  const { result } = shape.parse(await (await response).json());
  return z.looseObject({ code: z.string() }).parse(JSON.parse(result.content[0].text)).code;
}

describe("the audit log", () => {
  test("has one row for each call, with what was sent, what came of it and how long it took", async () => {
    const stack = await start({});
    await stack.post(call("echo", { symbol: "AAPL" }), { "User-Agent": "a client" });
    await stack.post(call("refuse"));
    await stack.post({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    await stack.post({ jsonrpc: "2.0", id: 1, method: "ping" });
    await stack.post("{");
    expect(
      stack.rows.map(({ start: { tool, arguments: sent, client, userId }, end }) => ({
        tool,
        sent,
        client,
        userId,
        outcome: end?.outcome,
        code: end?.code,
        summary: end?.summary,
      })),
    ).toMatchObject([
      { tool: "echo", sent: '{"symbol":"AAPL"}', client: "a client", userId: "user_1", outcome: "ok", summary: "Echoed." },
      { tool: "refuse", outcome: "error", code: "rate_limited", summary: "Too fast." },
      { tool: "tools/list", outcome: "ok" },
      { tool: "ping", outcome: "ok" },
      { tool: "invalid", outcome: "error", code: "parse_error" },
    ]);
    expect(stack.rows.every(({ end }) => (end?.durationUs ?? -1) >= 0)).toBe(true);
  });

  test("keeps no secret and no value of an unknown argument, and cuts long ones", async () => {
    const stack = await start({});
    await stack.post(call("change", { confirm_token: "ct_secret" }));
    await stack.post(call("echo", { symbol: "x".repeat(5_000), password: "hunter2" }));
    const kept = JSON.stringify(stack.rows.map(({ start: row }) => row.arguments));
    expect(kept).not.toContain("ct_secret");
    expect(kept).not.toContain("hunter2");
    expect(kept.length).toBeLessThan(1_000);
  });

  test("has the row of a change before it runs, and completes it after", async () => {
    const slow = slowTool("slow_change", true);
    const stack = await start({ tools: [slow.tool] });
    const answer = stack.post(call("slow_change"));
    await slow.started;
    expect(stack.rows).toMatchObject([{ begun: true, end: undefined }]);
    slow.end();
    await answer;
    expect(stack.rows).toMatchObject([{ begun: true, end: { outcome: "ok" } }]);
  });

  test("stops a change that can't be stored, and says that nothing was sent (D11.a)", async () => {
    const slow = slowTool("slow_change", true);
    const stack = await start({ tools: [slow.tool], beginFails: true });
    expect(await errorCode(stack.post(call("slow_change")))).toBe("storage_unavailable");
    expect(await Promise.race([slow.started, Promise.resolve("never ran")])).toBe("never ran");
  });
});

describe("the deadline", () => {
  const slow = (changes: boolean): { tool: Tool; end: () => void; started: Promise<AbortSignal> } => slowTool("slow", changes);

  test("ends a read with a timeout", async () => {
    const { tool } = slow(false);
    const stack = await start({ tools: [tool], clock: fastClock });
    expect(await errorCode(stack.post(call("slow")))).toBe("timeout");
    expect(stack.rows).toMatchObject([{ end: { outcome: "error", code: "timeout" } }]);
  });

  test("leaves a change time to say what became of it, and else calls the outcome unknown", async () => {
    const { tool } = slow(true);
    const stack = await start({ tools: [tool], clock: fastClock });
    expect(await errorCode(stack.post(call("slow")))).toBe("outcome_unknown");
  });

  test("aborts the tool's signal", async () => {
    const { tool, started } = slow(false);
    const stack = await start({ tools: [tool], clock: fastClock });
    await stack.post(call("slow"));
    expect((await started).aborted).toBe(true);
  });
});

describe("a client that hangs up", () => {
  async function hangUp(stack: McpStack, started: Promise<AbortSignal>): Promise<void> {
    const client = new AbortController();
    const answer = fetch(`${stack.url}/mcp`, {
      method: "POST",
      headers: { Authorization: `Bearer ${KEYS.write}`, "Content-Type": "application/json" },
      body: JSON.stringify(call("slow")),
      signal: client.signal,
    });
    await started;
    client.abort();
    await expect(answer).rejects.toThrow();
  }

  test("ends a read, which is written down as cancelled", async () => {
    const { tool, started } = slowTool("slow", false);
    const stack = await start({ tools: [tool] });
    await hangUp(stack, started);
    await expect.poll(() => stack.rows).toMatchObject([{ end: { outcome: "cancelled" } }]);
    expect((await started).aborted).toBe(true);
    expect((await stack.post({ jsonrpc: "2.0", id: 1, method: "ping" })).status).toBe(200);
  });

  test("doesn't stop a change", async () => {
    const { tool, started, end } = slowTool("slow", true);
    const stack = await start({ tools: [tool] });
    await hangUp(stack, started);
    expect((await started).aborted).toBe(false);
    end();
    await expect.poll(() => stack.rows).toMatchObject([{ begun: true, end: { outcome: "ok" } }]);
  });
});

test("closing waits for the call that runs, and takes no other", async () => {
  const { tool, started, end } = slowTool("slow", true);
  const stack = await startMcpStack({ tools: [tool] });
  const answer = stack.post(call("slow"));
  await started;
  const closed = stack.close();
  await expect(stack.post(call("slow"))).rejects.toThrow();
  end();
  expect((await answer).status).toBe(200);
  await closed;
});

test("beyond the bound, requests are told to come again", async () => {
  const { tool, started, end } = slowTool("slow", false);
  const stack = await start({ tools: [tool], maxConcurrentRequests: 1 });
  const first = stack.post(call("slow"));
  await started;
  const second = await stack.post(call("slow"));
  expect([second.status, second.headers.get("retry-after")]).toEqual([503, "1"]);
  end();
  expect((await first).status).toBe(200);
});
