import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { z } from "zod";

const run = promisify(execFile);

/** A JSON-RPC answer as it came. */
export interface RpcAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: unknown;
}

/** What a tool answered: `structured` for a result, `error` (the parsed error text) when `isError`. */
export interface ToolAnswer {
  readonly isError: boolean;
  readonly structured: Record<string, unknown>;
  readonly error: Record<string, unknown>;
  readonly text: string;
}

const resultSchema = z.object({
  result: z.looseObject({
    isError: z.boolean().optional(),
    structuredContent: z.record(z.string(), z.unknown()).optional(),
    content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  }),
});

/** Sends one JSON-RPC message by the real `curl`, with the headers of the README's command and no others. */
export async function curl(url: string, key: string, message: unknown, extra: readonly string[] = []): Promise<RpcAnswer> {
  const body = typeof message === "string" ? message : JSON.stringify(message);
  const { stdout } = await run("curl", [
    "-sS",
    `${url}/mcp`,
    "-H",
    `Authorization: Bearer ${key}`,
    "-H",
    "Content-Type: application/json",
    "-d",
    body,
    "-w",
    "\n%{http_code} %{content_type}",
    ...extra,
  ]);
  const lines = stdout.split("\n");
  const [status = "0", contentType = ""] = (lines.pop() ?? "").split(" ");
  const text = lines.join("\n");
  return { status: Number(status), contentType, body: text === "" ? undefined : JSON.parse(text) };
}

let nextId = 1;

/** Calls a tool by `fetch`, as a script would, and reads its answer. Rejects when the answer is no tool result. */
export async function callTool(
  gateway: { url: string; key: string },
  name: string,
  args: Record<string, unknown> = {},
): Promise<ToolAnswer> {
  const message = { jsonrpc: "2.0", id: nextId++, method: "tools/call", params: { name, arguments: args } };
  const response = await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: { Authorization: `Bearer ${gateway.key}`, "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
    body: JSON.stringify(message),
  });
  return readToolAnswer(await response.json());
}

/** Reads a JSON-RPC answer to `tools/call`. Throws when it is no tool result. */
export function readToolAnswer(body: unknown): ToolAnswer {
  const parsed = resultSchema.safeParse(body);
  if (!parsed.success) throw new Error(`no tool result: ${JSON.stringify(body)}`);
  const { isError = false, structuredContent = {}, content } = parsed.data.result;
  const text = content[0]?.text ?? "";
  return { isError, structured: structuredContent, error: isError ? (JSON.parse(text) as Record<string, unknown>) : {}, text };
}
