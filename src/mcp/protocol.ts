/** The two wire protocols that one URL serves: stateless with `_meta` (2026-07-28), and everything before. */
export type Era = "2026-07-28" | "legacy";

/** The stateless revision. */
export const MODERN_VERSION = "2026-07-28";

/** Revisions served without `initialize`; a request without a version header counts as 2025-03-26. */
export const LEGACY_VERSIONS: ReadonlySet<string> = new Set(["2025-11-25", "2025-06-18", "2025-03-26"]);

/** Keys of a request's and a result's `_meta` in 2026-07-28. */
export const META = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  logLevel: "io.modelcontextprotocol/logLevel",
  serverInfo: "io.modelcontextprotocol/serverInfo",
} as const;

/** JSON-RPC error codes that this server answers itself. */
export const RPC = { parseError: -32_700, invalidRequest: -32_600, invalidParams: -32_602, internal: -32_603, refused: -32_000 } as const;

/** Id of a JSON-RPC request. */
export type RequestId = string | number;

/** What a server says of itself. */
export interface ServerInfo {
  readonly name: string;
  readonly title: string;
  readonly version: string;
}
