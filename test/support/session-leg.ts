import { randomUUID } from "node:crypto";

import { isInitializeRequest, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";

import type { LegacyExchange } from "../../src/mcp/sdk-server.ts";

/** Serves 2025-era clients that initialize within a session, so that the server may send them requests; leaves the others alone. */
export function createSessionLeg(): (exchange: LegacyExchange) => Promise<Response | undefined> {
  const transports = new Map<string, WebStandardStreamableHTTPServerTransport>();
  return async ({ request, message, createServer }) => {
    const known = transports.get(request.headers.get("mcp-session-id") ?? "");
    if (known !== undefined) return known.handleRequest(request, { parsedBody: message });
    if (!isInitializeRequest(message)) return undefined;
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    await createServer().connect(transport);
    return transport.handleRequest(request, { parsedBody: message });
  };
}
