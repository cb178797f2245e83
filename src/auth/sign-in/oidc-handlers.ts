import type { Context } from "hono";

import { returnPath, withReturnPath } from "../../pages/return-path.ts";
import { signInTexts } from "../../pages/texts/sign-in.ts";
import { findOidcIdentity, insertOidcIdentity, noteOidcSignIn, type OidcIdentityRow } from "../../storage/oidc-identities.ts";
import type { SignInFlowRow } from "../../storage/sign-in-flows.ts";
import { findSignInLinkById } from "../../storage/sign-in-links.ts";
import { createPerson, type NewPerson, type NewPersonResult } from "./new-person.ts";
import { maySignUp, type OidcFailure, type OidcIdentity } from "./oidc.ts";
import { findLink, type LinkKind } from "./one-time-links.ts";
import { refusedForm } from "./refused-form.tsx";
import { failureShown, signInPage } from "./sign-in-handlers.tsx";
import { ACCOUNT_PATH, beginSession, goTo, HOME_OF_PEOPLE, isFresh, type SignInParts } from "./sign-in-parts.ts";
import type { PageEnv } from "../../pages/page-env.ts";
import type { SentForm, Visit } from "./visit.ts";

/** Makes the handlers of signing in at an OpenID Connect issuer. */
export function createOidcHandlers(parts: SignInParts) {
  const { visits, oidc } = parts;
  return {
    begin: async (c: Context<PageEnv>) => {
      const reading = await visits.readForm(c);
      const { visit } = reading.form;
      if (reading.kind === "refused") return refusedForm(parts, reading.reason, visit);
      const waitSeconds = await parts.throttle.count({ loginName: undefined, address: visit.address });
      if (waitSeconds > 0) return signInPage(parts, visit, failureShown({ kind: "throttled", waitSeconds }));
      const wanted = await wantedBy(parts, reading.form);
      if (wanted instanceof Response) return wanted;
      const begun = await oidc.begin(c.req.param("provider") ?? "", { browserSecret: visit.browserSecret, ...wanted });
      return begun.kind === "redirect" ? goTo(begun.url) : failure(parts, visit, begun);
    },
    callback: async (c: Context<PageEnv>) => {
      const visit = await visits.read(c);
      const query = new URL(c.req.url).searchParams;
      const result = await oidc.finish(c.req.param("provider") ?? "", visit.hasCookie ? visit.browserSecret : undefined, query);
      if (result.kind === "failed") return failure(parts, visit, result);
      // Taken back: only what comes to nothing counts.
      await parts.throttle.succeeded({ loginName: undefined, address: visit.address });
      return await admit(parts, visit, result);
    },
  };
}

/** What a sign-in is begun for: coming in, coming in by a link, or adding a way to the account that is signed in. */
async function wantedBy(
  parts: SignInParts,
  { visit, field }: SentForm,
): Promise<{ returnTo: string; userId?: string; linkId?: string; isAgain?: boolean } | Response> {
  const returnTo = returnPath(field("return_to")) ?? HOME_OF_PEOPLE;
  if (field("purpose") === "add") {
    if (visit.signedIn === undefined || !isFresh(parts, visit)) return goTo(withReturnPath("/sign-in?again=1", ACCOUNT_PATH));
    return { returnTo: ACCOUNT_PATH, userId: visit.signedIn.userId };
  }
  const kind = linkKind(field("link_kind"));
  if (kind === undefined) return { returnTo, isAgain: field("again") !== "" };
  const found = await findLink(parts, kind, field("link_token"));
  if (found.kind === "usable") return { returnTo: HOME_OF_PEOPLE, linkId: found.link.id };
  return parts.pages.error("expired", { user: visit.signedIn, ...signInTexts.link[found.reason] });
}

function linkKind(text: string): LinkKind | undefined {
  return text === "setup" || text === "invite" ? text : undefined;
}

/** Lets the person in whom an issuer has identified, or says why not. An e-mail address never decides who somebody is. */
async function admit(
  parts: SignInParts,
  visit: Visit,
  { identity, flow }: { identity: OidcIdentity; flow: SignInFlowRow },
): Promise<Response> {
  const known = await findOidcIdentity(parts.storage.db, identity.issuer, identity.subject);
  if (flow.user_id !== null) return await addTo(parts, visit, { identity, userId: flow.user_id, known });
  if (known !== undefined) {
    const { issuer, subject, email } = identity;
    await noteOidcSignIn(parts.storage, { issuer, subject, email: email ?? null, last_used_at: parts.clock.now() });
    return goTo(flow.return_to, await beginSession(parts, visit, { userId: known.user_id, method: "oidc" }));
  }
  const link = flow.link_id === null ? undefined : await findSignInLinkById(parts.storage.db, flow.link_id);
  if (link === undefined && !maySignUp(identity, parts.allowedDomains)) {
    parts.log.warn(
      { event: "sign_in_failed", method: "oidc", reason: "no_account", address: visit.address },
      "somebody without an account",
    );
    return signInPage(parts, visit, { status: 403, error: signInTexts.oidc.no_account(identity.email ?? signInTexts.oidc.nameless) });
  }
  const { displayName } = identity;
  const made = await createOnce(parts, identity, { link, displayName, method: { kind: "oidc", ...identity } });
  if (made.kind === "known") return goTo(flow.return_to, await beginSession(parts, visit, { userId: made.userId, method: "oidc" }));
  if (made.kind === "refused") return signInPage(parts, visit, { status: 410, error: signInTexts.oidc.link_used });
  parts.log.info(
    { event: "account_created", user_id: made.userId, link: link?.id, kind: link?.kind ?? "allowed_domain" },
    "an account was created",
  );
  return goTo(flow.return_to, await beginSession(parts, visit, { userId: made.userId, method: "oidc" }));
}

/** Makes the account; where another sign-in of the same identity did so just now, that account is theirs. */
async function createOnce(
  parts: SignInParts,
  { issuer, subject }: OidcIdentity,
  person: NewPerson,
): Promise<NewPersonResult | { readonly kind: "known"; readonly userId: string }> {
  const whose = () => findOidcIdentity(parts.storage.db, issuer, subject);
  try {
    const made = await createPerson(parts, person);
    const known = made.kind === "refused" ? await whose() : undefined;
    return known === undefined ? made : { kind: "known", userId: known.user_id };
  } catch (error) {
    // The database keeps one user for each identity, and refuses the one that came second.
    const known = await whose();
    if (known === undefined) throw error;
    return { kind: "known", userId: known.user_id };
  }
}

async function addTo(
  parts: SignInParts,
  visit: Visit,
  { identity, userId, known }: { identity: OidcIdentity; userId: string; known: OidcIdentityRow | undefined },
): Promise<Response> {
  // The flow is bound to the session's cookie, so that this is the session that began it, unless it has ended meanwhile.
  if (visit.signedIn?.userId !== userId) return signInPage(parts, visit, { status: 403, error: signInTexts.oidc.not_begun });
  if (known !== undefined && known.user_id !== userId) {
    return parts.pages.error("forbidden", {
      user: visit.signedIn,
      message: signInTexts.oidc.other_user,
      whatToDo: signInTexts.oidc.not_begun,
    });
  }
  const now = parts.clock.now();
  const { issuer, subject, email } = identity;
  if (known === undefined) {
    await insertOidcIdentity(parts.storage.db, {
      issuer,
      subject,
      user_id: userId,
      email: email ?? null,
      created_at: now,
      last_used_at: now,
    });
    parts.log.info({ event: "sign_in_method_added", user_id: userId, issuer }, "a way to sign in was added");
  }
  return goTo(`${ACCOUNT_PATH}?done=method_added`);
}

const STATUS: Readonly<Record<OidcFailure, number>> = {
  unknown_provider: 404,
  unreachable: 503,
  not_begun: 400,
  denied: 403,
  invalid: 502,
  not_fresh: 403,
};

function failure(
  parts: SignInParts,
  visit: Visit,
  { reason, providerName, returnTo }: { reason: OidcFailure; providerName: string | undefined; returnTo: string | undefined },
): Response {
  const text = signInTexts.oidc[reason];
  const error = typeof text === "string" ? text : text(providerName ?? "");
  return signInPage(parts, visit, { status: STATUS[reason], returnTo, error, isAgain: false });
}
