import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { curl, readToolAnswer } from "./mcp-call.ts";
import type { ToolAnswer } from "./mcp-call.ts";

/** What every kind of client can do with our server. */
export interface AnyClient {
  readonly name: string;
  toolNames(): Promise<string[]>;
  call(name: string, args?: Record<string, unknown>): Promise<ToolAnswer>;
  close(): Promise<void>;
}

interface Target {
  readonly url: string;
  readonly key: string;
}

/** The README's curl: no initialize, `Accept: *&#47;*`. */
export async function connectCurl({ url, key }: Target): Promise<AnyClient> {
  const send = async (method: string, params: object) => (await curl(url, key, { jsonrpc: "2.0", id: 1, method, params })).body;
  return {
    name: "curl",
    toolNames: async () => namesOf((await send("tools/list", {})) as { result: { tools: { name: string }[] } }),
    call: async (name, args = {}) => readToolAnswer(await send("tools/call", { name, arguments: args })),
    close: async () => undefined,
  };
}

/** The SDK's first generation, which speaks 2025-11-25 and earlier and validates results against `outputSchema`. */
export async function connectSdk1({ url, key }: Target): Promise<AnyClient> {
  const client = new LegacyClient({ name: "test-sdk-1", version: "1.0.0" });
  const transport = new LegacyTransport(new URL(`${url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${key}` } } });
  await client.connect(transport);
  return {
    name: "SDK 1.x",
    toolNames: async () => namesOf({ result: await client.listTools() }),
    call: async (name, args = {}) => readToolAnswer({ result: await client.callTool({ name, arguments: args }) }),
    close: () => client.close(),
  };
}

/** The SDK's second generation, pinned to 2026-07-28. */
export async function connectSdk2({ url, key }: Target): Promise<AnyClient> {
  const client = new ModernClient({ name: "test-sdk-2", version: "1.0.0" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  await client.connect(new ModernTransport(new URL(`${url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${key}` } } }));
  return {
    name: "SDK 2.x",
    toolNames: async () => namesOf({ result: await client.listTools() }),
    call: async (name, args = {}) => readToolAnswer({ result: await client.callTool({ name, arguments: args }) }),
    close: () => client.close(),
  };
}

function namesOf({ result }: { result: { tools: { name: string }[] } }): string[] {
  return result.tools.map((tool) => tool.name);
}
