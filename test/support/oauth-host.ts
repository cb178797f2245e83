import type { OAuthClientProvider as ModernProvider } from "@modelcontextprotocol/client";
import type { OAuthClientProvider as LegacyProvider } from "@modelcontextprotocol/sdk/client/auth.js";

/** What a host keeps between its steps. */
export interface HostMemory {
  client: Record<string, unknown> | undefined;
  tokens: Record<string, unknown> | undefined;
  verifier: string;
  discovered: unknown;
  /** Where it would open the person's browser. */
  readonly opened: URL[];
}

export interface HostOptions {
  readonly redirectUri: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** A client id that is the address of a metadata document. */
  readonly documentUrl?: string;
  readonly state?: string;
}

/** The part of an MCP host that the SDK's `auth()` asks of it, kept in memory; it fits both generations. */
export function oauthHost({ redirectUri, metadata, documentUrl, state }: HostOptions): {
  readonly memory: HostMemory;
  readonly legacy: LegacyProvider;
  readonly modern: ModernProvider;
} {
  const memory: HostMemory = { client: undefined, tokens: undefined, verifier: "", discovered: undefined, opened: [] };
  const provider = {
    redirectUrl: redirectUri,
    clientMetadata: { redirect_uris: [redirectUri], ...metadata },
    ...(documentUrl === undefined ? {} : { clientMetadataUrl: documentUrl }),
    ...(state === undefined ? {} : { state: () => state }),
    clientInformation: () => memory.client,
    saveClientInformation: (client: Record<string, unknown>) => {
      memory.client = client;
    },
    tokens: () => memory.tokens,
    saveTokens: (tokens: Record<string, unknown>) => {
      memory.tokens = tokens;
    },
    redirectToAuthorization: (url: URL) => {
      memory.opened.push(url);
    },
    saveCodeVerifier: (verifier: string) => {
      memory.verifier = verifier;
    },
    codeVerifier: () => memory.verifier,
    saveDiscoveryState: (discovered: unknown) => {
      memory.discovered = discovered;
    },
    discoveryState: () => memory.discovered,
    invalidateCredentials: (scope: string) => {
      if (scope === "all" || scope === "client") memory.client = undefined;
      if (scope === "all" || scope === "tokens") memory.tokens = undefined;
    },
  };
  // Both generations ask for these members; what is kept is what they themselves handed over.
  return { memory, legacy: provider as unknown as LegacyProvider, modern: provider as unknown as ModernProvider };
}
