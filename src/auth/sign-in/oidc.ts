import {
  allowInsecureRequests,
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientError,
  clockTolerance,
  type Configuration,
  customFetch,
  discovery,
  fetchUserInfo,
} from "openid-client";
import { z } from "zod";

import { BoundedCache } from "../../lib/bounded-cache.ts";
import { messageOf } from "../../lib/errors.ts";
import { type Secret, sha256Hex } from "../../lib/secret.ts";
import { SingleFlight } from "../../lib/single-flight.ts";
import { insertSignInFlow, type SignInFlowRow, takeSignInFlow } from "../../storage/sign-in-flows.ts";
import { storedText } from "../../storage/stored-text.ts";
import { derivedFrom } from "./cookies.ts";
import type { SignInDeps } from "./sign-in-deps.ts";

/** An OpenID Connect issuer at which people may sign in. */
export interface OidcProvider {
  /** Stands in our URLs. */
  readonly id: string;
  /** What the button says. */
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
}

/** An account at an issuer. `issuer` and `subject` name it; the rest is for show and for the allow-list. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** Only when the issuer says that it is verified. */
  readonly email: string | undefined;
  /** The organisation that the account belongs to, at Google. */
  readonly hostedDomain: string | undefined;
  readonly displayName: string;
}

/** Why a sign-in at an issuer came to nothing. */
export type OidcFailure = "unknown_provider" | "unreachable" | "not_begun" | "denied" | "invalid" | "not_fresh";

/** What came back from an issuer. */
export type OidcResult =
  | { readonly kind: "identified"; readonly identity: OidcIdentity; readonly flow: SignInFlowRow }
  | {
      readonly kind: "failed";
      readonly reason: OidcFailure;
      readonly providerName: string | undefined;
      readonly returnTo: string | undefined;
    };

/** What a sign-in at an issuer is begun for. */
export interface OidcStart {
  /** Value of this browser's cookie: state, nonce and PKCE verifier serve in no other browser. */
  readonly browserSecret: string;
  readonly returnTo: string;
  /** Who is signed in, when the account is to be added to theirs. */
  readonly userId?: string | undefined;
  /** The link by which a new person comes in. */
  readonly linkId?: string | undefined;
  /** True when the person must prove anew who they are, also at the issuer. */
  readonly isAgain?: boolean | undefined;
}

/** Signs people in at OpenID Connect issuers (authorization code, PKCE, state, nonce). */
export interface OidcSignIn {
  readonly providers: readonly OidcProvider[];
  begin(
    providerId: string,
    start: OidcStart,
  ): Promise<{ readonly kind: "redirect"; readonly url: string } | (OidcResult & { readonly kind: "failed" })>;
  /** Finishes with the query string that the browser came back with; each state serves once. */
  finish(providerId: string, browserSecret: string | undefined, query: URLSearchParams): Promise<OidcResult>;
}

/** Each request to an issuer. */
const REQUEST_LIMIT_SECONDS = 8;
/** How long a person may take at the issuer. */
const FLOW_MS = 600_000;
/** How long an issuer's metadata is believed: it changes hardly ever, and its keys are fetched apart. */
const METADATA_MS = 3_600_000;
const MAX_PROVIDERS = 10;
const STATE_BYTES = 32;
/** Ends the state of a flow in which the person must prove anew who they are; the flow is found by its whole state alone. */
const AGAIN = ".again";
const CLOCK_TOLERANCE_SECONDS = 60;
const MAX_SUBJECT = 255;
const SCOPE = "openid email profile";
const claims = z.looseObject({
  iss: z.string(),
  sub: z.string().min(1).max(MAX_SUBJECT),
  email: z.string().max(320).optional().catch(undefined),
  // Some issuers write it as text.
  email_verified: z
    .union([z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true")])
    .optional()
    .catch(undefined),
  hd: z.string().optional().catch(undefined),
  auth_time: z.number().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  preferred_username: z.string().optional().catch(undefined),
});

/** Makes the part that knows issuers. Their metadata is fetched when somebody first signs in, so that one that is down keeps nothing else from starting. */
export function createOidcSignIn(deps: SignInDeps, providers: readonly OidcProvider[]): OidcSignIn {
  const { storage, clock, random, log } = deps;
  const discover = createDiscovery(deps);
  const redirectUri = (provider: OidcProvider) => `${deps.publicUrl()}/sign-in/oidc/${provider.id}/callback`;
  const failed = (
    reason: OidcFailure,
    provider: OidcProvider | undefined,
    details: { readonly error?: unknown; readonly returnTo?: string } = {},
  ) => {
    const why = details.error === undefined ? undefined : messageOf(details.error);
    log.warn({ event: "sign_in_failed", method: "oidc", provider: provider?.id, reason, why }, "a sign-in at an issuer came to nothing");
    return { kind: "failed" as const, reason, providerName: provider?.name, returnTo: details.returnTo };
  };
  return {
    providers,
    begin: async (providerId, { browserSecret, returnTo, userId, linkId, isAgain = false }) => {
      const provider = providers.find(({ id }) => id === providerId);
      if (provider === undefined) return failed("unknown_provider", undefined);
      let config: Configuration;
      try {
        config = await discover(provider);
      } catch (error) {
        return failed("unreachable", provider, { error, returnTo });
      }
      const state = random.bytes(STATE_BYTES).toString("base64url") + (isAgain ? AGAIN : "");
      const now = clock.now();
      const flow = { ...flowKey(provider, state, browserSecret), user_id: userId ?? null, link_id: linkId ?? null, return_to: returnTo };
      await insertSignInFlow(storage, { ...flow, expires_at: now + FLOW_MS }, now);
      const url = buildAuthorizationUrl(config, {
        redirect_uri: redirectUri(provider),
        scope: SCOPE,
        state,
        nonce: derivedFrom(browserSecret, `nonce ${state}`),
        code_challenge: await calculatePKCECodeChallenge(derivedFrom(browserSecret, `verifier ${state}`)),
        code_challenge_method: "S256",
        ...promptOf(provider, isAgain),
      });
      return { kind: "redirect", url: url.href };
    },
    finish: async (providerId, browserSecret, query) => {
      const provider = providers.find(({ id }) => id === providerId);
      if (provider === undefined) return failed("unknown_provider", undefined);
      const state = query.get("state");
      if (browserSecret === undefined || state === null) return failed("not_begun", provider);
      const flow = await takeSignInFlow(storage, flowKey(provider, state, browserSecret), clock.now());
      if (flow === undefined) return failed("not_begun", provider);
      const returnTo = flow.return_to;
      try {
        const currentUrl = new URL(`${redirectUri(provider)}?${query.toString()}`);
        const { identity, authenticatedAt } = await exchange(await discover(provider), currentUrl, { browserSecret, state });
        const mustBeFresh = state.endsWith(AGAIN) && provider.issuer !== GOOGLE;
        if (mustBeFresh && !isFreshSignIn(authenticatedAt, flow.expires_at - FLOW_MS)) return failed("not_fresh", provider, { returnTo });
        return { kind: "identified", identity, flow };
      } catch (error) {
        const isDenial = error instanceof AuthorizationResponseError && error.error === "access_denied";
        if (isDenial) return failed("denied", provider, { error, returnTo });
        return failed(isUnreachable(error) ? "unreachable" : "invalid", provider, { error, returnTo });
      }
    },
  };
}

function flowKey(provider: OidcProvider, state: string, browserSecret: string) {
  return { id_hash: sha256Hex(`${provider.id} ${state}`), purpose: "oidc", browser_hash: sha256Hex(browserSecret) };
}

/**
 * People often have several accounts at Google, and choose; other issuers need not know that prompt. With `max_age` an issuer
 * must say when it saw the person (OpenID Connect Core section 3.1.2.1), which Google doesn't do.
 */
function promptOf({ issuer }: OidcProvider, isAgain: boolean): Readonly<Record<string, string>> {
  if (issuer === GOOGLE) return { prompt: "select_account" };
  return isAgain ? { prompt: "login", max_age: "0" } : {};
}

/** Tells whether an issuer saw the person itself since a flow was begun (epoch ms), and not only its own cookie. `authTime` is in seconds. */
export function isFreshSignIn(authTime: number | undefined, begunAt: number): boolean {
  return authTime !== undefined && authTime * 1000 >= begunAt - CLOCK_TOLERANCE_SECONDS * 1000;
}

/** Exchanges the code and reads who it is; the library checks state, issuer, audience, nonce, times and signature. */
async function exchange(
  config: Configuration,
  currentUrl: URL,
  own: { readonly browserSecret: string; readonly state: string },
): Promise<{ readonly identity: OidcIdentity; readonly authenticatedAt: number | undefined }> {
  const tokens = await authorizationCodeGrant(config, currentUrl, {
    expectedState: own.state,
    expectedNonce: derivedFrom(own.browserSecret, `nonce ${own.state}`),
    pkceCodeVerifier: derivedFrom(own.browserSecret, `verifier ${own.state}`),
    idTokenExpected: true,
  });
  const idToken = claims.parse(tokens.claims());
  // OpenID Connect Core section 5.4: with a code, claims of the scopes may be had from the UserInfo endpoint only.
  const canAsk = idToken.email === undefined && config.serverMetadata().userinfo_endpoint !== undefined;
  const more = canAsk ? claims.partial().parse(await fetchUserInfo(config, tokens.access_token, idToken.sub)) : {};
  const known = { ...more, ...Object.fromEntries(Object.entries(idToken).filter(([, value]) => value !== undefined)) };
  const { email, email_verified: isVerified, hd, name, preferred_username: userName } = claims.parse(known);
  const verified = isVerified === true ? email : undefined;
  const identity = {
    issuer: idToken.iss,
    subject: storedText(idToken.sub, MAX_SUBJECT),
    email: verified === undefined ? undefined : storedText(verified.toLowerCase(), 320),
    hostedDomain: hd?.toLowerCase(),
    displayName: name ?? userName ?? email ?? "Somebody",
  };
  return { identity, authenticatedAt: idToken.auth_time };
}

/** Fetches issuers' metadata: one request at a time for each, kept an hour, a failure not at all. */
function createDiscovery({ clock, fetch }: SignInDeps): (provider: OidcProvider) => Promise<Configuration> {
  const known = new BoundedCache<string, Configuration>({ clock, maxEntries: MAX_PROVIDERS, ttlMs: METADATA_MS });
  const flights = new SingleFlight<string, Configuration>();
  return async (provider) => {
    const kept = known.get(provider.id);
    if (kept !== undefined) return kept;
    return await flights.run(provider.id, async () => {
      const issuer = new URL(provider.issuer);
      const config = await discovery(issuer, provider.clientId, metadataOf(provider), undefined, {
        timeout: REQUEST_LIMIT_SECONDS,
        // The library leaves `signal` and `body` undefined where it has none, which is what a missing one means.
        [customFetch]: (url, { signal, body, ...options }) => fetch(url, { ...options, signal: signal ?? null, body: body ?? null }),
        // Plain http was let through for loopback issuers only, when the settings were read.
        execute: issuer.protocol === "http:" ? [allowInsecureRequests] : [],
      });
      known.set(provider.id, config);
      return config;
    });
  };
}

function metadataOf({ clientSecret }: OidcProvider) {
  return { ...(clientSecret === undefined ? {} : { client_secret: clientSecret.reveal() }), [clockTolerance]: CLOCK_TOLERANCE_SECONDS };
}

/** Tells an issuer that can't be reached from one whose answer is wrong. */
function isUnreachable(error: unknown): boolean {
  if (error instanceof ClientError && error.code === "OAUTH_TIMEOUT") return true;
  return error instanceof TypeError || (error instanceof Error && error.name === "TimeoutError") || hasServerFault(error);
}

function hasServerFault(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof TypeError || (cause instanceof Response && cause.status >= 500);
}

/** Domains under which everybody has an account that the domain itself vouches for. */
const GOOGLE = "https://accounts.google.com";
const GOOGLE_DOMAINS = new Set(["gmail.com", "googlemail.com"]);

/**
 * Tells whether the operator lets a new person of this identity in: by the domain of their verified e-mail address, or
 * `*` for everybody whom the issuer knows. At Google an address of an organisation counts only while the account belongs
 * to it (`hd`): a private account keeps such an address when its owner has left.
 */
export function maySignUp(identity: OidcIdentity, allowedDomains: readonly string[]): boolean {
  if (allowedDomains.includes("*")) return true;
  const domain = identity.email?.split("@").at(-1);
  if (domain === undefined || !allowedDomains.includes(domain)) return false;
  return identity.issuer !== GOOGLE || GOOGLE_DOMAINS.has(domain) || identity.hostedDomain === domain;
}
