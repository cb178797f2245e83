/** Arguments reach a tool exactly as the client wrote them, or not at all, on every way through POST /mcp. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";

import { type McpStack, startMcpStack } from "../../test/support/mcp-stack.ts";
import { optionalConids, optionalDecimal, optionalText, optionalTexts } from "../tools/fields.ts";
import { defineTool } from "./define-tool.ts";

const received: unknown[] = [];

/** Takes what orders take: an amount, a text, lists. */
const order = defineTool({
  name: "order",
  title: "Order",
  description: "Stores its arguments.",
  scope: "write",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    quantity: optionalDecimal(),
    client_order_id: optionalText(),
    conids: optionalConids(3),
    symbols: optionalTexts(3),
  }),
  outputSchema: { type: "object" },
  run: (args, { inputResponse }) => {
    received.push(inputResponse ?? { ...args, ...(args.quantity === undefined ? {} : { quantity: args.quantity.toString() }) });
    return Promise.resolve({ kind: "complete", structured: {}, text: "Stored." });
  },
});

let stack: McpStack;
beforeAll(async () => {
  stack = await startMcpStack({ tools: [order] });
});
afterAll(() => stack.close());
beforeEach(() => {
  received.length = 0;
});

const MODERN = { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "order" };
const VERSION = '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}';
const LOG_LEVEL = '"io.modelcontextprotocol/logLevel":"error"';

const call = (args: string, meta = ""): string =>
  `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"order","arguments":${args}${meta === "" ? "" : `,"_meta":{${meta}}`}}}`;

/** Every way to a tool: the gateway's own dispatch and the SDK, in each era, in a batch, and with arguments as JSON text. */
const WAYS: readonly (readonly [string, (args: string) => Promise<Response>])[] = [
  ["before 2026", (args) => stack.post(call(args))],
  ["2025-11-25", (args) => stack.post(call(args), { "MCP-Protocol-Version": "2025-11-25" })],
  ["2026-07-28", (args) => stack.post(call(args, VERSION), MODERN)],
  ["2026-07-28 by the SDK", (args) => stack.post(call(args, `${VERSION},${LOG_LEVEL}`), MODERN)],
  ["a batch", (args) => stack.post(`[${call(args)}]`)],
  ["a batch behind another message", (args) => stack.post(`[{"jsonrpc":"2.0","id":1,"method":"ping"},${call(args)}]`)],
  ["arguments as JSON text", (args) => stack.post(call(JSON.stringify(args)))],
];

const errorResult = z.looseObject({ isError: z.literal(true), content: z.tuple([z.object({ text: z.string() }).loose()]) });
const answers = z.union([z.array(z.looseObject({ id: z.unknown() })), z.looseObject({ id: z.unknown() })]);

/** The tool's error in the answer to the request with id 7. */
async function toolError(response: Promise<Response>): Promise<unknown> {
  const body = answers.parse(await (await response).json());
  const answer = Array.isArray(body) ? body.find(({ id }) => id === 7) : body;
  return JSON.parse(errorResult.parse(answer?.["result"]).content[0].text);
}

describe.each(WAYS)("by way of %s", (_way, send) => {
  test.each([
    ["D12.a", '{"quantity":4.9999999999999999}', "4.9999999999999999"],
    ["D12.b", '{"quantity":5.00000000000000000001}', "5.00000000000000000001"],
    ["D12.c", '{"quantity":"1","quantity":"77"}', '"quantity" appears twice'],
    ["D12: an escaped name", '{"quantity":"1","quant\\u0069ty":"77"}', '"quantity" appears twice'],
    ["D12: above all doubles", '{"quantity":1e400}', "1e400"],
    ["D12: below all doubles", '{"quantity":1E-400}', "1E-400"],
    ["D12: an id of many digits", '{"client_order_id":12345678901234567890}', "12345678901234567890"],
    ["D12: a number in a list", '{"conids":[265598,8314.0000000000000001]}', "8314.0000000000000001"],
    ["D12: an unknown member", '{"note":[{"deep":{"n":0.30000000000000000001}}]}', "0.30000000000000000001"],
    ["D12: a member twice in an unknown one", '{"note":[{"deep":{"a":1,"a":1}}]}', '"a" appears twice'],
    ["D12: the prototype's name twice", '{"__proto__":1,"__proto__":2}', '"__proto__" appears twice'],
  ])("%s %s is refused in words and never reaches the tool", async (_case, args, words) => {
    const error = await toolError(send(args));
    expect(error).toMatchObject({ code: "invalid_arguments", message: expect.stringContaining(words), what_to_do: expect.any(String) });
    expect(received).toEqual([]);
    expect(stack.rows.findLast(({ start }) => start.tool === "order")).toMatchObject({
      end: { outcome: "error", code: "invalid_arguments" },
    });
  });

  test.each([
    ['{"quantity":5.0}', { quantity: "5" }],
    ['{"quantity":0.1}', { quantity: "0.1" }],
    ['{"quantity":1e2}', { quantity: "100" }],
    ['{"quantity":-0}', { quantity: "0" }],
    ['{"quantity":"4.99999999"}', { quantity: "4.99999999" }],
    ['{"client_order_id":"4.9999999999999999"}', { client_order_id: "4.9999999999999999" }],
    ['{"conids":[265598.0,"8314"]}', { conids: [265598, 8314] }],
    ['{"symbols":"[\\"AAPL\\",5]"}', { symbols: ["AAPL", "5"] }],
  ])("%s is taken as it was written", async (args, expected) => {
    expect((await send(args)).status).toBe(200);
    expect(received).toEqual([expected]);
  });

  test.each([
    '{"quantity":"4.9999999999999999"}',
    '{"quantity":"5.00000000000000000001"}',
    '{"conids":"[265598,8314.0000000000000001]"}',
    '{"symbols":"[{\\"a\\":1,\\"a\\":1}]"}',
  ])("D12: %s is refused where the digits come as text", async (args) => {
    expect(await toolError(send(args))).toMatchObject({ code: "invalid_arguments" });
    expect(received).toEqual([]);
  });

  test("D12: a prototype among the arguments lends them no member", async () => {
    await send('{"__proto__":{"quantity":"77"}}');
    expect(JSON.stringify(received)).not.toContain("77");
  });
});

describe("a member twice around the arguments", () => {
  const base = '"jsonrpc":"2.0","id":7,"method":"tools/call"';
  test.each([
    ["arguments", `{${base},"params":{"name":"order","arguments":{"quantity":1},"arguments":{"quantity":77}}}`],
    ["arguments", `{${base},"params":{"name":"order","arguments":{"quantity":1},"argument\\u0073":{"quantity":77}}}`],
    ["name", `{${base},"params":{"name":"nothing","name":"order","arguments":{}}}`],
    ["params", `{${base},"params":{"name":"order","arguments":{"quantity":1}},"params":{"name":"order","arguments":{"quantity":77}}}`],
    ["method", `{"method":"ping",${base},"params":{"name":"order","arguments":{}}}`],
  ])("D12: %s in %s is refused, alone and in a batch", async (member, text) => {
    for (const body of [text, `[${text}]`]) {
      expect(await toolError(stack.post(body))).toMatchObject({
        code: "invalid_arguments",
        message: expect.stringContaining(`"${member}"`),
      });
    }
    expect(received).toEqual([]);
  });

  test("D12: the action of a form's answer twice is refused", async () => {
    const yes = '"inputResponses":{"confirm":{"action":"decline","action":"accept","content":{"confirm":true}}},"requestState":"s"';
    const text = call("{}", VERSION).replace('"_meta"', `${yes},"_meta"`);
    expect(await toolError(stack.post(text, MODERN))).toMatchObject({ code: "invalid_arguments" });
    expect(received).toEqual([]);
  });
});

describe("what is no argument stays as it was", () => {
  test.each(["7", '"7"', "-0", "9007199254740991", '"9007199254740993"', "1.0"])("the id %s comes back", async (id) => {
    const answer = z
      .looseObject({ id: z.unknown(), result: z.unknown() })
      .parse(await (await stack.post(call("{}").replace('"id":7', `"id":${id}`))).json());
    expect(answer.id).toEqual(JSON.parse(JSON.stringify(JSON.parse(id))));
    expect(received).toHaveLength(1);
  });

  test.each(["1.5", "9007199254740993", "1e400", "null", "true"])("the id %s calls nothing", async (id) => {
    expect((await stack.post(call("{}").replace('"id":7', `"id":${id}`))).status).toBeLessThan(500);
    expect(received).toEqual([]);
  });

  test("numbers of many digits in _meta", async () => {
    expect((await stack.post(call("{}", '"at":1733000000.12345678901234567890'))).status).toBe(200);
    expect(received).toEqual([{}]);
  });

  test("tools/list and ping, whatever else they carry", async () => {
    for (const method of ["tools/list", "ping"]) {
      const answer = await stack.post(
        `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{"_meta":{"a":1,"a":2,"arguments":4.9999999999999999}}}`,
      );
      expect(await answer.json()).toHaveProperty("result");
    }
  });
});
