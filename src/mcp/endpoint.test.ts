import { execFile } from "node:child_process";
import { connect } from "node:net";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { KEYS, type McpStack, startMcpStack } from "../../test/support/mcp-stack.ts";

let stack: McpStack;
beforeAll(async () => {
  stack = await startMcpStack();
});
afterAll(() => stack.close());

const rpc = z.looseObject({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string(), z.number(), z.null()]),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.looseObject({ code: z.number(), message: z.string(), data: z.unknown().optional() }).optional(),
});
const names = (result: unknown) =>
  z
    .looseObject({ tools: z.array(z.looseObject({ name: z.string() })) })
    .parse(result)
    .tools.map(({ name }) => name);

async function read(pending: Promise<Response>) {
  const response = await pending;
  return { status: response.status, headers: response.headers, ...rpc.parse(await response.json()) };
}

const ENVELOPE = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };

function modern(method: string, params: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const name = typeof params["name"] === "string" ? { "Mcp-Name": params["name"] } : {};
  const message = { jsonrpc: "2.0", id: 7, method, params: { _meta: ENVELOPE, ...params } };
  return read(stack.post(message, { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, ...name, ...headers }));
}

const legacy = (method: string, params?: unknown, headers: Record<string, string> = {}) =>
  read(stack.post({ jsonrpc: "2.0", id: 7, method, params }, headers));

function errorOf(result: unknown): Record<string, unknown> {
  const { content } = z
    .looseObject({ isError: z.literal(true), content: z.tuple([z.object({ type: z.literal("text"), text: z.string() })]) })
    .parse(result);
  return z.record(z.string(), z.unknown()).parse(JSON.parse(content[0].text));
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
      "-w",
      "\n%{content_type}",
    ]);
    const [body = "", contentType] = stdout.split("\n");
    expect(contentType).toBe("application/json");
    expect(names(rpc.parse(JSON.parse(body)).result)).toEqual(["echo", "change", "ask", "refuse", "crash"]);
  });

  test.each([undefined, "2025-03-26", "2025-06-18", "2025-11-25"])("a tool is called at version %s", async (version) => {
    const answer = await legacy(
      "tools/call",
      { name: "echo", arguments: { symbol: "AAPL" } },
      version === undefined ? {} : { "MCP-Protocol-Version": version },
    );
    expect(answer.result).toEqual({
      content: [{ type: "text", text: "Echoed." }],
      structuredContent: { echo: { symbol: "AAPL" }, can_elicit_form: false },
    });
  });

  test("initialize names the server, the version asked for and the workflow", async () => {
    const answer = await legacy("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } });
    expect(answer.result).toMatchObject({ protocolVersion: "2025-06-18", serverInfo: { name: "ibkr-gateway" } });
    expect(String(answer.result?.["instructions"]).split("\n")).toHaveLength(5);
  });

  test("a batch is answered, a ping too, and a notification is taken", async () => {
    const batch = await stack.post([
      { jsonrpc: "2.0", id: 1, method: "tools/list" },
      { jsonrpc: "2.0", id: 2, method: "ping" },
    ]);
    expect(z.array(rpc).parse(await batch.json())).toHaveLength(2);
    const notification = await stack.post({ jsonrpc: "2.0", method: "notifications/initialized" });
    expect([notification.status, await notification.text()]).toEqual([202, ""]);
  });
});

describe("2026-07-28", () => {
  test("lists with cache hints and calls with a result type, both with serverInfo", async () => {
    const list = await modern("tools/list");
    expect(list.result).toMatchObject({ resultType: "complete", ttlMs: 300_000, cacheScope: "private" });
    const call = await modern("tools/call", { name: "echo" });
    expect(call.result).toMatchObject({
      resultType: "complete",
      structuredContent: { echo: {} },
      _meta: { "io.modelcontextprotocol/serverInfo": { name: "ibkr-gateway" } },
    });
  });

  test("server/discover names the version, the workflow and the server", async () => {
    const answer = await modern("server/discover");
    expect(answer.result).toMatchObject({ supportedVersions: ["2026-07-28"], cacheScope: "private" });
    expect(answer.result?.["instructions"]).toContain("place_order");
  });

  test("a name that is sent in base64 is decoded", async () => {
    const encoded = `=?base64?${Buffer.from("echo").toString("base64")}?=`;
    expect((await modern("tools/call", { name: "echo" }, { "Mcp-Name": encoded })).result).toMatchObject({ resultType: "complete" });
  });

  test.each([
    ["another name", { "Mcp-Name": "change" }],
    ["another method", { "Mcp-Method": "tools/list" }],
    ["another version", { "MCP-Protocol-Version": "2025-11-25" }],
    ["a broken encoding", { "Mcp-Name": "=?base64?!!?=" }],
  ])("headers that say %s than the body are refused", async (_what, headers) => {
    const answer = await modern("tools/call", { name: "echo" }, headers);
    expect([answer.status, answer.error?.code]).toEqual([400, -32_020]);
  });

  test("a missing part of the envelope, an unknown version and an unknown method have their own codes", async () => {
    const noCapabilities = { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } };
    const missing = await modern("tools/list", noCapabilities);
    expect([missing.status, missing.error?.code]).toEqual([400, -32_602]);
    const future = { _meta: { ...ENVELOPE, "io.modelcontextprotocol/protocolVersion": "2031-01-01" } };
    const unknown = await modern("tools/list", future, { "MCP-Protocol-Version": "2031-01-01" });
    expect([unknown.status, unknown.error?.code]).toEqual([400, -32_022]);
    const method = await modern("tools/sing");
    expect([method.status, method.error?.code]).toEqual([404, -32_601]);
  });

  test("a client that declared forms is asked, and its answer reaches the tool with the state byte for byte", async () => {
    const _meta = { ...ENVELOPE, "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } } };
    const asked = await modern("tools/call", { name: "ask", _meta });
    expect(asked.result).toMatchObject({
      resultType: "input_required",
      requestState: "state-1",
      inputRequests: { confirm: { method: "elicitation/create" } },
    });
    const inputResponses = { confirm: { action: "accept", content: { yes: true } } };
    const answered = await modern("tools/call", { name: "ask", _meta, inputResponses, requestState: "state-1" });
    expect(answered.result).toMatchObject({ structuredContent: { echo: { requestState: "state-1", answers: inputResponses } } });
    expect(stack.rows.filter(({ start }) => start.tool === "ask").map(({ end }) => end?.outcome)).toEqual(["input_required", "ok"]);
  });

  test("a client that declared none, or of 2025, is not asked", async () => {
    expect((await modern("tools/call", { name: "ask" })).result).toMatchObject({ resultType: "complete" });
    expect((await legacy("tools/call", { name: "ask", requestState: "x" })).result).toMatchObject({
      structuredContent: { echo: { requestState: "none" } },
    });
  });
});

describe("who may", () => {
  test("a missing or unknown key is a 401 that says what to do", async () => {
    const send = (headers: Record<string, string>) =>
      read(
        fetch(`${stack.url}/mcp`, {
          method: "POST",
          headers: { "Content-Type": "application/json", ...headers },
          body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
        }),
      );
    const missing = await send({});
    expect([missing.status, missing.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(missing.error?.message).toContain("Authorization: Bearer");
    const unknown = await send({ Authorization: "Bearer ibkr_other" });
    expect([unknown.status, unknown.headers.get("www-authenticate")]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
  });

  test("a key that may only read doesn't see the tools that change something, and calling one says why", async () => {
    const Authorization = `Bearer ${KEYS.read}`;
    expect(names((await legacy("tools/list", undefined, { Authorization })).result)).toEqual(["echo", "refuse", "crash"]);
    const refused = await legacy("tools/call", { name: "change" }, { Authorization });
    expect(errorOf(refused.result)).toMatchObject({ code: "scope_insufficient" });
  });
});

describe("bad input", () => {
  test("broken JSON, another content type and a body over the limit are refused", async () => {
    const broken = await read(stack.post('{"jsonrpc":'));
    expect([broken.status, broken.error?.code]).toEqual([400, -32_700]);
    expect((await read(stack.post("{}", { "Content-Type": "text/plain" }))).status).toBe(415);
    const large = await read(stack.post({ jsonrpc: "2.0", id: 1, method: "ping", params: { filler: "x".repeat(1_100_000) } }));
    expect(large.status).toBe(413);
  });

  test.each([
    ["a text", '"hello"'],
    ["a number", "7"],
    ["null", "null"],
    ["an empty batch", "[]"],
    ["no method", "{}"],
  ])("%s is no message", async (_what, body) => {
    const answer = await read(stack.post(body));
    expect(answer.status).toBe(400);
  });

  test("an unknown tool is refused with the nearest name", async () => {
    const answer = await legacy("tools/call", { name: "ecco" });
    expect(answer.error).toMatchObject({ code: -32_602, data: { code: "unknown_tool", what_to_do: expect.stringContaining("echo") } });
  });

  test("an unknown argument, and a wrong type, are refused in one sentence each", async () => {
    const unknown = await legacy("tools/call", { name: "echo", arguments: { symbl: "AAPL", zzz: 1 } });
    expect(errorOf(unknown.result)).toMatchObject({
      code: "invalid_arguments",
      message: 'Unknown argument "symbl": did you mean "symbol"? Unknown argument "zzz".',
    });
    const wrong = await legacy("tools/call", { name: "echo", arguments: { symbol: 1, limit: "x" } });
    expect(errorOf(wrong.result)).toMatchObject({
      code: "invalid_arguments",
      message: "`symbol` must be a text. `limit` must be a whole number.",
    });
  });

  test("arguments may be sent as JSON text", async () => {
    const answer = await legacy("tools/call", { name: "echo", arguments: '{"symbol":"AAPL"}' });
    expect(answer.result).toMatchObject({ structuredContent: { echo: { symbol: "AAPL" } } });
  });

  test("GET and DELETE are 405", async () => {
    for (const method of ["GET", "DELETE"]) {
      const response = await fetch(`${stack.url}/mcp`, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    }
  });

  test("a body that doesn't arrive is given up", async () => {
    const hasty = await startMcpStack({ http: { requestLimitMs: 300 } });
    const { hostname, port } = new URL(hasty.url);
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.write(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${KEYS.write}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"json`,
    );
    await new Promise((resolve) => socket.on("close", resolve));
    expect(Buffer.concat(chunks).toString()).toContain("408 Request Timeout");
    await hasty.close();
  });

  test("a thousand requests at once are all answered", async () => {
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        stack.post({ jsonrpc: "2.0", id: index, method: "tools/call", params: { name: "echo" } }),
      ),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const ids = await Promise.all(answers.map(async (answer) => rpc.parse(await answer.json()).id));
    expect(new Set(ids).size).toBe(1_000);
  });
});

describe("errors for a model", () => {
  test("are JSON text with what to do, without structured content", async () => {
    const { result } = await legacy("tools/call", { name: "refuse" });
    expect(result).not.toHaveProperty("structuredContent");
    expect(errorOf(result)).toEqual({
      code: "rate_limited",
      message: "Too fast.",
      what_to_do: "Wait.",
      retry_after_s: 3,
      link: "https://example.test/help",
      seen: 2,
    });
  });

  test("an unexpected failure names the request and nothing inside", async () => {
    const answer = await legacy("tools/call", { name: "crash" });
    const requestId = answer.headers.get("x-request-id") ?? "none";
    const error = errorOf(answer.result);
    expect(error["code"]).toBe("internal_error");
    expect(error["message"]).toContain(requestId);
    expect(JSON.stringify(error)).not.toContain("secret internals");
    expect(stack.logged.some((entry) => JSON.stringify(entry).includes(requestId))).toBe(true);
  });
});
