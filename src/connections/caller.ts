import type { Toolset } from "./toolsets.ts";

/** What a key or a grant may do: `read`, or `write` (which includes reading). */
export type Scope = "read" | "write";

/** How a caller signed in to `/mcp`. */
export type CallerSource = "apikey" | "oauth";

/** Who is asking: one API key or one OAuth grant, and what it was allowed. Loaded anew for each request. */
export interface Caller {
  /** Id of the key or grant; never the secret. */
  readonly id: string;
  readonly source: CallerSource;
  /** Where its client order ids are unique: the key's id, or the app's client id, which a renewed approval keeps. */
  readonly nameSpace: string;
  readonly userId: string;
  readonly connectionId: string;
  readonly scope: Scope;
  /** Accounts it is limited to; undefined means all of the connection. */
  readonly allowedAccountIds: readonly string[] | undefined;
  /** Its current account, when it has pinned one. */
  readonly pinnedAccountId: string | undefined;
  /** Sets of tools that it lists beside the core. */
  readonly toolsets: readonly Toolset[];
}
