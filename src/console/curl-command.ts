import type { Secret } from "../lib/secret.ts";

/** The command that lists the tools with a key. */
export function curlCommand(publicUrl: string, key: Secret): string {
  return `curl -sS ${publicUrl}/mcp -H "Authorization: Bearer ${key.reveal()}" -H "Content-Type: application/json" \\\n  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`;
}
