import type { Assets } from "../../pages/assets.ts";
import type { PageRenderer } from "../../pages/page-renderer.tsx";
import { hasSetupLink } from "../../storage/sign-in-links.ts";
import { hasPeople } from "../../storage/users.ts";
import { createAccountHandlers } from "./account-handlers.tsx";
import { type BrowserSessions, createBrowserSessions } from "./browser-session.ts";
import { createCookieJar } from "./cookies.ts";
import { createDeletionHandlers } from "./deletion-handlers.tsx";
import { createLinkHandlers } from "./link-handlers.tsx";
import { createLocalAccounts } from "./local-accounts.ts";
import { createOidcHandlers } from "./oidc-handlers.ts";
import { createOidcSignIn, type OidcProvider } from "./oidc.ts";
import { createLink, type LinkDeps } from "./one-time-links.ts";
import { createPasskeys } from "./passkeys.ts";
import { createPasswordHasher, type PasswordCost } from "./password-hashing.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { createSignInHandlers } from "./sign-in-handlers.tsx";
import type { SignInParts } from "./sign-in-parts.ts";
import { createSignInThrottle } from "./throttle.ts";
import { createVisits } from "./visit.ts";

export interface SignInOptions {
  /** True when the public URL is https: cookies are named and marked for it. */
  readonly isHttps: boolean;
  readonly providers: readonly OidcProvider[];
  /** E-mail domains whose people may open an account at these issuers, or `*`. */
  readonly allowedDomains: readonly string[];
  readonly passwordCost?: PasswordCost;
}

export interface SignInOuterDeps extends SignInDeps, Pick<SignInParts, "connections"> {
  readonly pages: PageRenderer;
  readonly assets: Assets;
}

/** People's sign-in, as the rest of the gateway sees it. */
export interface SignIn {
  readonly sessions: BrowserSessions;
  readonly handlers: SignInHandlers;
}

export type SignInHandlers = ReturnType<typeof createHandlers>;

/** Makes all of people's sign-in: sessions, passwords, passkeys, issuers, links, and the account page. */
export function createSignIn(deps: SignInOuterDeps, options: SignInOptions): SignIn {
  const { storage, clock, random, log } = deps;
  const cookies = createCookieJar(options.isHttps);
  const sessions = createBrowserSessions({ storage, clock, random, cookies });
  const hasher = createPasswordHasher({ random, ...(options.passwordCost === undefined ? {} : { cost: options.passwordCost }) });
  const throttle = createSignInThrottle({ storage, clock });
  const parts: SignInParts = {
    ...deps,
    cookies,
    sessions,
    visits: createVisits(deps, cookies, sessions),
    hasher,
    throttle,
    accounts: createLocalAccounts({ storage, clock, log, hasher, throttle }),
    passkeys: createPasskeys(deps),
    oidc: createOidcSignIn(deps, options.providers),
    allowedDomains: options.allowedDomains,
  };
  return { sessions, handlers: createHandlers(parts) };
}

function createHandlers(parts: SignInParts) {
  return {
    ...createSignInHandlers(parts),
    oidc: createOidcHandlers(parts),
    setup: createLinkHandlers(parts, "setup"),
    invite: createLinkHandlers(parts, "invite"),
    reset: createLinkHandlers(parts, "reset"),
    account: { ...createAccountHandlers(parts), ...createDeletionHandlers(parts) },
  };
}

/** What a start says about the first set-up. */
export type FirstSetup =
  | { readonly kind: "done" | "waiting" }
  /** `path` is to be printed once: it can't be had again. */
  | { readonly kind: "link"; readonly path: string };

/** Makes the set-up link on a first start; later starts only say whether somebody has used it. */
export async function prepareFirstSetup(deps: LinkDeps): Promise<FirstSetup> {
  if (await hasPeople(deps.storage)) return { kind: "done" };
  if (await hasSetupLink(deps.storage)) return { kind: "waiting" };
  return { kind: "link", path: (await createLink(deps, { kind: "setup" })).reveal() };
}
