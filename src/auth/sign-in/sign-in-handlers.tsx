import type { Context } from "hono";
import { z } from "zod";

import { ANY_FORM_TARGET } from "../../pages/content-security.ts";
import { returnPath, withReturnPath } from "../../pages/return-path.ts";
import { signInTexts } from "../../pages/texts/sign-in.ts";
import type { PasswordResult } from "./local-accounts.ts";
import { passkeyObstacle } from "./passkeys.ts";
import { PasswordsBusyError } from "./password-hashing.ts";
import { refusedForm, refusedJson } from "./refused-form.tsx";
import { beginSession, goTo, HOME_OF_PEOPLE, jsonAnswer, type SignInParts, withCookies } from "./sign-in-parts.ts";
import { SignInView } from "./sign-in-view.tsx";
import type { PageEnv } from "../../pages/page-env.ts";
import type { Visit } from "./visit.ts";

/** What a sign-in page shows beside its form. */
export interface SignInShown {
  readonly returnTo?: string | undefined;
  readonly isAgain?: boolean;
  readonly loginName?: string;
  readonly error?: string | undefined;
  readonly done?: string | undefined;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const passkeyReply = z.looseObject({ return_to: z.string().optional() });
const DONE: Readonly<Record<string, string>> = {
  signed_out: signInTexts.signedOut,
  deleted: signInTexts.accountDeleted,
  reset: signInTexts.passwordReset,
};

/** Shows the sign-in page. */
export function signInPage(parts: SignInParts, visit: Visit, shown: SignInShown): Response {
  const { pages, assets, oidc, publicUrl } = parts;
  const isAgain = shown.isAgain ?? false;
  const view = (
    <SignInView
      formToken={visit.formToken}
      returnTo={shown.returnTo}
      isAgain={isAgain}
      loginName={shown.loginName ?? ""}
      providers={oidc.providers}
      passkeys={passkeyObstacle(publicUrl()) ?? "offered"}
      scriptPath={assets.passkeys.path}
      error={shown.error}
      done={shown.done}
    />
  );
  const frame = { title: isAgain ? signInTexts.againTitle : signInTexts.title, user: visit.signedIn };
  // The form's answer may lead on to an issuer, or through an authorization to a host.
  const csp = { ...ANY_FORM_TARGET, "connect-src": "'self'" };
  const answer = pages.page(frame, view, { status: shown.status ?? 200, csp, headers: shown.headers ?? {} });
  return withCookies(answer, visit.setCookies);
}

/** Makes the handlers of signing in and out. */
export function createSignInHandlers(parts: SignInParts) {
  const { visits, accounts, sessions, cookies, log } = parts;
  return {
    showSignIn: async (c: Context<PageEnv>) => {
      const elsewhere = properAddress(parts.publicUrl(), c.req.header("host"), c.req.url);
      if (elsewhere !== undefined) return goTo(elsewhere);
      const visit = await visits.read(c);
      const returnTo = returnPath(c.req.query("return_to"));
      const isAgain = c.req.query("again") !== undefined;
      if (visit.signedIn !== undefined && !isAgain) return goTo(returnTo ?? HOME_OF_PEOPLE);
      const loginName = visit.signedIn === undefined ? undefined : await accounts.loginNameOf(visit.signedIn.userId);
      return signInPage(parts, visit, { returnTo, isAgain, loginName: loginName ?? "", done: DONE[c.req.query("done") ?? ""] });
    },
    signIn: async (c: Context<PageEnv>) => {
      const reading = await visits.readForm(c);
      const { visit, field } = reading.form;
      const returnTo = returnPath(field("return_to"));
      const isAgain = field("again") !== "";
      const loginName = field("login_name");
      if (reading.kind === "refused") {
        // Signed in meanwhile, in another tab: that is what this form was for.
        if (reading.reason === "old_form" && visit.signedIn !== undefined) return goTo(returnTo ?? HOME_OF_PEOPLE);
        if (reading.reason !== "old_form") return refusedForm(parts, reading.reason, visit);
        return signInPage(parts, visit, { returnTo, isAgain, loginName, error: signInTexts.faults.old_form, status: 403 });
      }
      const result = await accounts.check(loginName, field("password"), visit.address).catch(busy);
      if (result.kind !== "right") return signInPage(parts, visit, { returnTo, isAgain, loginName, ...failureShown(result) });
      return goTo(returnTo ?? HOME_OF_PEOPLE, await beginSession(parts, visit, { userId: result.userId, method: "password" }));
    },
    signOut: async (c: Context<PageEnv>) => {
      const reading = await visits.readForm(c);
      const { visit, field } = reading.form;
      // Who signs out to let another person in comes back to where they were.
      const returnTo = returnPath(field("return_to"));
      if (visit.signedIn === undefined) return goTo(withReturnPath("/sign-in", returnTo));
      if (reading.kind === "refused") return refusedForm(parts, reading.reason, visit);
      await sessions.end(visit.signedIn.userId, visit.signedIn.sessionId);
      log.info({ event: "signed_out", user_id: visit.signedIn.userId }, "somebody signed out");
      return goTo(withReturnPath("/sign-in?done=signed_out", returnTo), [cookies.clearSession()]);
    },
    passkeySignInOptions: async (c: Context<PageEnv>) => {
      const reading = await visits.readJson(c);
      if (reading.kind === "refused") return refusedJson(parts, reading.reason, reading.visit);
      const waitSeconds = await parts.throttle.count({ loginName: undefined, address: reading.visit.address });
      if (waitSeconds > 0) return jsonAnswer({ error: signInTexts.throttled(signInTexts.seconds(waitSeconds)) }, 429);
      return jsonAnswer({ options: await parts.passkeys.optionsToSignIn(reading.visit.browserSecret) });
    },
    passkeySignIn: async (c: Context<PageEnv>) => {
      const reading = await visits.readJson(c);
      if (reading.kind === "refused") return refusedJson(parts, reading.reason, reading.visit);
      const { visit, body } = reading;
      const result = await parts.passkeys.signIn(visit.browserSecret, body);
      if (result.kind === "wrong") return jsonAnswer({ error: signInTexts.passkeyFailed }, 403);
      // Taken back: only what fails counts.
      await parts.throttle.succeeded({ loginName: undefined, address: visit.address });
      const target = returnPath(passkeyReply.safeParse(body).data?.return_to) ?? HOME_OF_PEOPLE;
      return jsonAnswer({ redirect_to: target }, 200, await beginSession(parts, visit, { userId: result.userId, method: "passkey" }));
    },
  };
}

/**
 * Where somebody belongs who came by this machine's IP address while its public address is `localhost`: cookies, passkeys
 * and the way back from an issuer belong to the name. Undefined for everybody else, also behind a forwarded port.
 */
function properAddress(publicUrl: string, host: string | undefined, asked: string): string | undefined {
  const { protocol, hostname, port } = new URL(publicUrl);
  const isIpAddress = host === `127.0.0.1:${port}` || host === `[::1]:${port}`;
  if (protocol !== "http:" || hostname !== "localhost" || !isIpAddress) return undefined;
  const { pathname, search } = new URL(asked);
  return `${publicUrl}${pathname}${search}`;
}

/** What a failed check of a password shows: the message, and for programs its status and time. */
export function failureShown(result: Exclude<PasswordResult, { kind: "right" }> | { readonly kind: "busy" }) {
  switch (result.kind) {
    case "wrong":
      return { error: signInTexts.wrong, status: 403 };
    case "busy":
      return { error: signInTexts.busy, status: 503, headers: { "Retry-After": "5" } };
    case "throttled":
      return {
        error: signInTexts.throttled(signInTexts.seconds(result.waitSeconds)),
        status: 429,
        headers: { "Retry-After": String(result.waitSeconds) },
      };
  }
}

/** Turns "too many at once" into an answer; any other failure stays one. */
export function busy(error: unknown): { readonly kind: "busy" } {
  if (error instanceof PasswordsBusyError) return { kind: "busy" };
  throw error;
}
