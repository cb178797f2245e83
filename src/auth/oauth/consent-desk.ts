import type { IncomingMessage, ServerResponse } from "node:http";

import type { Scope } from "../../connections/caller.ts";
import type { Toolset } from "../../connections/toolsets.ts";

/** What a host asks of the person at the consent page. Names are the client's own claim, cleaned of control and bidi characters. */
export interface AuthorizationRequest {
  /** Id of this one authorization; valid for the browser that began it, for a short time, once. */
  readonly interactionId: string;
  readonly clientId: string;
  readonly claimedName: string;
  /** How the client is known: by a document at its own https address, by built-in facts on a well-known host, or only by registering itself. */
  readonly identity: "metadata_document" | "built_in" | "registered";
  /** Host of the client's metadata document; undefined for a client that registered itself. */
  readonly clientHost: string | undefined;
  readonly redirectUri: string;
  readonly redirectKind: "https" | "loopback" | "custom_scheme";
  /** What the host asked for: a hint only. */
  readonly askedScope: Scope | undefined;
}

/** What the person decided. */
export interface ConsentDecision {
  readonly userId: string;
  readonly connectionId: string;
  readonly scope: Scope;
  /** Accounts it is limited to; undefined means all of the connection. */
  readonly allowedAccountIds: readonly string[] | undefined;
  /** Sets of tools that it lists beside the core. */
  readonly toolsets: readonly Toolset[];
  /** Epoch ms; undefined means until it is revoked. */
  readonly expiresAt: number | undefined;
}

/** The authorization server's face to the consent page. */
export interface ConsentDesk {
  /** The authorization that this browser is in the middle of; undefined when it is unknown, over, or another browser's. */
  find(req: IncomingMessage, res: ServerResponse, interactionId: string): Promise<AuthorizationRequest | undefined>;
  /** Makes the grant and answers where to send the browser. Throws when the connection isn't this user's or the authorization is over. */
  approve(
    req: IncomingMessage,
    res: ServerResponse,
    interactionId: string,
    decision: ConsentDecision,
  ): Promise<{ readonly redirectTo: string }>;
  /** Refuses, and answers where to send the browser. */
  deny(req: IncomingMessage, res: ServerResponse, interactionId: string): Promise<{ readonly redirectTo: string }>;
}
