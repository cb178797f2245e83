/** What is known of a client without asking its vendor. */
export interface BuiltInClient {
  readonly client_id: string;
  readonly client_name: string;
  readonly redirect_uris: readonly string[];
}

/**
 * Public clients of well-known hosts whose documents refuse requests from data centres. The facts are those that the hosts
 * themselves send when they authorize (seen on the wire) and that their vendors document. They serve only while
 * a document can't be fetched.
 */
export const BUILT_IN_CLIENTS: readonly BuiltInClient[] = [
  {
    client_id: "https://claude.ai/oauth/mcp-oauth-client-metadata",
    client_name: "Claude",
    redirect_uris: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
  },
  {
    client_id: "https://claude.ai/oauth/claude-code-client-metadata",
    client_name: "Claude Code",
    redirect_uris: ["http://localhost/callback"],
  },
  {
    client_id: "https://chatgpt.com/oauth/codex/client.json",
    client_name: "Codex",
    redirect_uris: ["http://127.0.0.1/callback"],
  },
];
