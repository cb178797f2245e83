import { generateKeyPairSync } from "node:crypto";
import type { EventEmitter } from "node:events";

import Provider, { type Configuration, errors, type KoaContextWithOIDC } from "oidc-provider";

import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import { equalSecrets } from "../../lib/secret.ts";
import { loadAssets } from "../../pages/assets.ts";
import { createPageRenderer, type PageRenderer } from "../../pages/page-renderer.tsx";
import { noteAppGrantIssue } from "../../storage/app-grants.ts";
import type { Storage } from "../../storage/storage.ts";
import { findUser } from "../../storage/users.ts";
import { type AdapterDeps, createAdapter, hashedClientSecret } from "./adapter.ts";
import { ASKED_SCOPE } from "./authorize-request.ts";
import type { ClientDocuments } from "./client-documents.ts";
import { CLIENT_AUTH_METHODS, IDENTITY_MEMBER } from "./client-metadata.ts";
import { type AuthorizationFault, authorizationErrorPage } from "./error-page.tsx";
import { ASSERTION_ALGORITHMS } from "./metadata.ts";
import { newSecret, SECRET_STARTS } from "./secret-ids.ts";

export interface ProviderDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly documents: ClientDocuments;
  readonly revokeGrant: AdapterDeps["revokeGrant"];
  /** Called when a refresh token that was used comes again, after the client has proved itself; throws to answer otherwise than by revoking. */
  readonly onUsedRefreshToken: (ctx: KoaContextWithOIDC, usedAt: number) => Promise<void>;
}

export interface ProviderOptions {
  readonly issuer: string;
  readonly resource: string;
  readonly unusedLimitMs: number;
}

/** Names of the library's cookies; the session's is never sent. */
export const COOKIES = {
  session: "ibkr_gateway_as_session",
  interaction: "ibkr_gateway_authorize",
  resume: "ibkr_gateway_resume",
} as const;

const ACCESS_TOKEN_SECONDS = 3_600;
/** With the library's tolerance of a clock's skew a code lives at most a minute. */
const CODE_SECONDS = 45;
/** Time for a person to sign in, and to add a connection when there is none. */
const INTERACTION_SECONDS = 3_600;
const CLOCK_TOLERANCE_SECONDS = 15;
/** A client's assertion is remembered until it expires; hosts sign theirs for a minute or five. */
const MAX_ASSERTION_SECONDS = 900;

/** Makes the OAuth library's provider: codes and refresh tokens, PKCE always, every consent asked anew. */
export function createProvider(deps: ProviderDeps, options: ProviderOptions): Provider {
  const { storage, clock, random, log } = deps;
  const { issuer, resource, unusedLimitMs } = options;
  const adapter = createAdapter({
    storage,
    clock,
    resource,
    unusedLimitMs,
    revokeGrant: deps.revokeGrant,
    resumeUrl: (interactionId) => `${issuer}/authorize/${interactionId}`,
  });
  const provider = new Provider(issuer, {
    ...behaviour(deps, options),
    ...PROTOCOL,
    jwks: { keys: [generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" })] },
    adapter,
    assertJwtClientAuthClaimsAndHeader: (_ctx, { exp }) => limitAssertion(exp, clock),
    fetch: (url) => deps.documents.fetch(url instanceof Request ? url.url : url.toString()),
  });
  provider.proxy = true;
  for (const [model, start] of [
    [provider.AccessToken, SECRET_STARTS.accessToken],
    [provider.RefreshToken, SECRET_STARTS.refreshToken],
    [provider.AuthorizationCode, SECRET_STARTS.code],
  ] as const) {
    Object.defineProperty(model.prototype, "generateTokenId", {
      value(this: { format?: string }) {
        // The library asks for this mark of a token that is looked up, not read.
        this.format = "opaque";
        return newSecret(random, start);
      },
    });
  }
  Object.defineProperty(provider.Client.prototype, "compareClientSecret", {
    value(this: { readonly clientSecret?: string }, actual: string) {
      return equalSecrets(this.clientSecret ?? "", hashedClientSecret(actual));
    },
  });
  provider.on("server_error", (_ctx, error) => log.error({ err: error }, "an OAuth request failed unexpectedly"));
  const failures: EventEmitter = provider;
  failures.on("error", (error) => log.error({ err: error }, "an OAuth request failed unexpectedly"));
  return provider;
}

/** The library wants a key for identity tokens, which are never issued. */
const UNUSED_ALGORITHM = "ES256";

const PROTOCOL = {
  clients: [],
  claims: {},
  scopes: ["offline_access"],
  responseTypes: ["code"],
  clientAuthMethods: [...CLIENT_AUTH_METHODS],
  enabledJWA: { clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS], idTokenSigningAlgValues: [UNUSED_ALGORITHM] },
  clientDefaults: {
    application_type: "native",
    grant_types: ["authorization_code", "refresh_token"],
    id_token_signed_response_alg: UNUSED_ALGORITHM,
    response_modes: ["query"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  },
  extraClientMetadata: { properties: [IDENTITY_MEMBER], validator: () => undefined },
  extraParams: [ASKED_SCOPE],
  clockTolerance: CLOCK_TOLERANCE_SECONDS,
  cookies: { names: COOKIES, keys: [] },
  routes: { authorization: "/authorize", token: "/token", registration: "/register", revocation: "/revoke" },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  clientBasedCORS: () => true,
  allowOmittingSingleRegisteredRedirectUri: false,
} satisfies Configuration;

function behaviour(deps: ProviderDeps, { resource, unusedLimitMs }: ProviderOptions): Configuration {
  const { storage, clock, random, documents } = deps;
  const pages = createPageRenderer({ assets: loadAssets() });
  return {
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      registration: {
        enabled: true,
        issueRegistrationAccessToken: false,
        idFactory: () => newSecret(random, "client_").slice(0, 29),
        secretFactory: () => newSecret(random, SECRET_STARTS.clientSecret),
      },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      clientIdMetadataDocument: {
        enabled: true,
        ack: "draft-02",
        allowFetch: (ctx, clientId) => documents.mayFetch(clientId, ctx?.ip),
        cacheDuration: { min: 60, max: 86_400 },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, asked) => {
          if (asked !== resource) throw new errors.InvalidTarget();
          return { scope: "read write", audience: resource, accessTokenFormat: "opaque" };
        },
      },
    },
    interactions: { url: (_ctx, interaction) => `/consent/${interaction.uid}` },
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : await ctx.oidc.provider.Grant.find(grantId);
    },
    findAccount: async (ctx, userId, token) => {
      if (token?.kind === "RefreshToken" && "consumed" in token && typeof token.consumed === "number") {
        await deps.onUsedRefreshToken(ctx, token.consumed * 1000);
      }
      const user = await findUser(storage, userId);
      return user === undefined ? undefined : { accountId: user.id, claims: () => ({ sub: user.id }) };
    },
    extraTokenClaims: async (_ctx, token) => {
      const { grantId } = token as { grantId?: string };
      // A revocation may have come while this answer was under way.
      if (grantId === undefined || !(await noteAppGrantIssue(storage, grantId, clock.now())))
        throw new errors.InvalidGrant("grant was revoked");
      return undefined;
    },
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    revokeGrantPolicy: () => true,
    renderError: async (ctx, out, error) => {
      const name = error instanceof errors.SessionNotFound ? "session_not_found" : out.error;
      await showError(ctx, pages, {
        error: name,
        description: typeof out.error_description === "string" ? out.error_description : undefined,
      });
    },
    ttl: {
      AccessToken: (ctx) => withinGrant(ctx, ACCESS_TOKEN_SECONDS, clock),
      RefreshToken: (ctx) => withinGrant(ctx, Math.ceil(unusedLimitMs / 1000), clock),
      AuthorizationCode: CODE_SECONDS,
      Interaction: INTERACTION_SECONDS,
      Session: INTERACTION_SECONDS,
    },
  };
}

/** Refuses an assertion that would have to be remembered for long, which any registered client could ask for without end. */
function limitAssertion(exp: unknown, clock: Clock): void {
  if (typeof exp === "number" && exp <= clock.now() / 1000 + MAX_ASSERTION_SECONDS) return;
  throw new errors.InvalidClientAuth("the client_assertion must expire within 15 minutes");
}

/** Nothing outlives its grant's expiry. */
function withinGrant(ctx: KoaContextWithOIDC | undefined, seconds: number, clock: Clock): number {
  const end = ctx?.oidc.entities.Grant?.exp;
  return end === undefined ? seconds : Math.max(1, Math.min(seconds, end - Math.floor(clock.now() / 1000)));
}

async function showError(ctx: KoaContextWithOIDC, pages: PageRenderer, fault: AuthorizationFault): Promise<void> {
  if (ctx.accepts("html", "json") === "json") {
    ctx.body = { error: fault.error, ...(fault.description === undefined ? {} : { error_description: fault.description }) };
    return;
  }
  const page = authorizationErrorPage(pages, fault);
  for (const [name, value] of page.headers) ctx.set(name, value);
  ctx.body = await page.text();
}
