import type { Connections } from "../../connections/connections.ts";
import type { Assets } from "../../pages/assets.ts";
import type { PageRenderer } from "../../pages/page-renderer.tsx";
import type { SessionKeeper, SignInMethod } from "./browser-session.ts";
import type { CookieJar } from "./cookies.ts";
import type { LocalAccounts } from "./local-accounts.ts";
import type { OidcSignIn } from "./oidc.ts";
import type { Passkeys } from "./passkeys.ts";
import type { PasswordHasher } from "./password-hashing.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import type { SignInThrottle } from "./throttle.ts";
import type { Visit, Visits } from "./visit.ts";

/** Everything that the pages of sign-in and account work with. */
export interface SignInParts extends SignInDeps {
  readonly cookies: CookieJar;
  readonly sessions: SessionKeeper;
  readonly visits: Visits;
  readonly hasher: PasswordHasher;
  readonly throttle: SignInThrottle;
  readonly accounts: LocalAccounts;
  readonly passkeys: Passkeys;
  readonly oidc: OidcSignIn;
  readonly allowedDomains: readonly string[];
  readonly pages: PageRenderer;
  readonly assets: Assets;
  /** Whose live sessions end with an account. */
  readonly connections: Pick<Connections, "forgetUser">;
}

/** Where a person goes who came from nowhere: the console. */
export const HOME_OF_PEOPLE = "/console";

/** Where people look after their account. */
export const ACCOUNT_PATH = "/account";

/** How long a sign-in is fresh. Changes of who can sign in, and decisions about real money, need one. */
const FRESH_MS = 900_000;

/** Begins a session, puts it on record, and answers its cookies. */
export async function beginSession(
  { sessions, log }: SignInParts,
  visit: Visit,
  person: { readonly userId: string; readonly method: SignInMethod },
): Promise<readonly string[]> {
  const cookies = await sessions.begin(person, visit);
  log.info({ event: "signed_in", user_id: person.userId, method: person.method, address: visit.address }, "somebody signed in");
  return cookies;
}

/** Tells whether the person proved who they are within the last quarter of an hour. */
export function isFresh({ clock }: Pick<SignInParts, "clock">, { signedIn }: Pick<Visit, "signedIn">): boolean {
  return signedIn !== undefined && signedIn.signedInAt > clock.now() - FRESH_MS;
}

/** Sends the browser on with GET, whatever it sent (303). */
export function goTo(path: string, cookies: readonly string[] = []): Response {
  return withCookies(new Response(null, { status: 303, headers: { Location: path } }), cookies);
}

/** Adds cookies to an answer. */
export function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append("Set-Cookie", cookie);
  return response;
}

/** Answers a script. */
export function jsonAnswer(body: object, status = 200, cookies: readonly string[] = []): Response {
  return withCookies(Response.json(body, { status }), cookies);
}
