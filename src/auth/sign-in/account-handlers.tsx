import type { Context } from "hono";

import { consoleNavigation } from "../../pages/console-navigation.ts";
import { ANY_FORM_TARGET } from "../../pages/content-security.ts";
import { withReturnPath } from "../../pages/return-path.ts";
import { accountTexts } from "../../pages/texts/account.ts";
import { signInTexts } from "../../pages/texts/sign-in.ts";
import { deleteOidcIdentity, listOidcIdentities } from "../../storage/oidc-identities.ts";
import { deleteInvitation, listOpenInvitations } from "../../storage/sign-in-links.ts";
import { AccountView, type AccountViewProps } from "./account-view.tsx";
import type { SignedIn } from "./browser-session.ts";
import type { SignInMethods } from "./methods-view.tsx";
import { createLink } from "./one-time-links.ts";
import { passkeyObstacle } from "./passkeys.ts";
import { passwordFault } from "./password-rules.ts";
import { refusedForm, refusedJson } from "./refused-form.tsx";
import { busy, failureShown } from "./sign-in-handlers.tsx";
import { goTo, ACCOUNT_PATH, isFresh, jsonAnswer, type SignInParts } from "./sign-in-parts.ts";
import type { PageEnv } from "../../pages/page-env.ts";
import type { SentForm } from "./visit.ts";

/** A form of somebody who is signed in. */
interface OwnForm extends SentForm {
  readonly user: SignedIn;
}

const DONE: Readonly<Record<string, string>> = accountTexts.done;

/** Makes the handlers of the account page. */
export function createAccountHandlers(parts: SignInParts) {
  const { visits, sessions, accounts, storage, log } = parts;
  /** Reads a form of somebody who is signed in; everybody else is sent to sign in, or told why not. */
  const own = (handle: (form: OwnForm) => Promise<Response>) => async (c: Context<PageEnv>) => {
    const reading = await visits.readForm(c);
    const { visit } = reading.form;
    if (visit.signedIn === undefined) return goTo(withReturnPath("/sign-in", ACCOUNT_PATH), visit.setCookies);
    if (reading.kind === "refused") return refusedForm(parts, reading.reason, visit);
    return await handle({ ...reading.form, user: visit.signedIn });
  };
  return {
    show: async (c: Context<PageEnv>) => {
      const visit = await visits.read(c);
      if (visit.signedIn === undefined) return goTo(withReturnPath("/sign-in", ACCOUNT_PATH), visit.setCookies);
      return await accountPage(parts, visit.signedIn, { done: DONE[c.req.query("done") ?? ""] });
    },
    endSessions: own(async ({ user, field }) => {
      if (field("others") !== "") {
        const ended = await sessions.endAll(user.userId, user.sessionId);
        log.info({ event: "signed_out_elsewhere", user_id: user.userId, ended }, "somebody signed out everywhere else");
        return goTo(`${ACCOUNT_PATH}?done=sessions`);
      }
      await sessions.end(user.userId, field("session"));
      return goTo(`${ACCOUNT_PATH}?done=session`);
    }),
    changePassword: own(async ({ user, field, visit }) => {
      const refuse = (errors: AccountViewProps["errors"], status = 422) => accountPage(parts, user, { errors, status });
      const loginName = await accounts.loginNameOf(user.userId);
      const fault = passwordFault(field("next"), [loginName ?? "", user.displayName]);
      if (fault !== undefined) return await refuse({ next: signInTexts.faults[fault] });
      const checked = await accounts.checkOwn(user.userId, field("current"), visit.address).catch(busy);
      if (checked.kind === "wrong") return await refuse({ current: accountTexts.password.wrong });
      if (checked.kind !== "right") return await refuse({ current: failureShown(checked).error }, failureShown(checked).status);
      await accounts.change(user.userId, field("next"), user.sessionId);
      return goTo(`${ACCOUNT_PATH}?done=password`);
    }),
    removePasskey: own(async ({ user, field }) => {
      if (await isOnlyWay(parts, user.userId)) return await accountPage(parts, user, lastWay());
      await parts.passkeys.remove(user.userId, field("passkey"));
      return goTo(`${ACCOUNT_PATH}?done=passkey_removed`);
    }),
    removeMethod: own(async ({ user, field }) => {
      if (await isOnlyWay(parts, user.userId)) return await accountPage(parts, user, lastWay());
      const removed = await deleteOidcIdentity(storage, { user_id: user.userId, issuer: field("issuer"), subject: field("subject") });
      if (removed) log.info({ event: "sign_in_method_removed", user_id: user.userId }, "a way to sign in was removed");
      return goTo(`${ACCOUNT_PATH}?done=method_removed`);
    }),
    invite: own(async ({ user, field, visit }) => {
      if (!user.isOperator) return parts.pages.error("forbidden", { user, requestId: visit.requestId });
      try {
        const path = await createLink(parts, { kind: "invite", invitedBy: user.userId, note: field("note") });
        log.info({ event: "invitation_made", user_id: user.userId }, "an invitation was made");
        return await accountPage(parts, user, { newInvitation: parts.publicUrl() + path.reveal() });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return await accountPage(parts, user, { errors: { invitation: accountTexts.invitations.tooMany }, status: 422 });
      }
    }),
    removeInvitation: own(async ({ user, field }) => {
      await deleteInvitation(storage, user.userId, field("invitation"));
      return goTo(`${ACCOUNT_PATH}?done=invitation_removed`);
    }),
    ...createPasskeyAdditions(parts),
  };
}

/** What a script asks of us to add a passkey. It needs a fresh sign-in: a passkey outlives the session that added it. */
function createPasskeyAdditions(parts: SignInParts) {
  const { visits, accounts, passkeys } = parts;
  const signInAgain = () =>
    jsonAnswer({ redirect_to: withReturnPath("/sign-in?again=1", ACCOUNT_PATH), error: accountTexts.deletion.fresh }, 403);
  return {
    passkeyAddOptions: async (c: Context<PageEnv>) => {
      const reading = await visits.readJson(c);
      const { visit } = reading;
      if (reading.kind === "refused") return refusedJson(parts, reading.reason, visit);
      if (visit.signedIn === undefined || !isFresh(parts, visit)) return signInAgain();
      const { userId, displayName } = visit.signedIn;
      const loginName = (await accounts.loginNameOf(userId)) ?? displayName;
      return jsonAnswer({ options: await passkeys.optionsToAdd({ userId, displayName, loginName }, visit.browserSecret) });
    },
    addPasskey: async (c: Context<PageEnv>) => {
      const reading = await visits.readJson(c);
      const { visit } = reading;
      if (reading.kind === "refused") return refusedJson(parts, reading.reason, visit);
      if (visit.signedIn === undefined || !isFresh(parts, visit)) return signInAgain();
      const added = await passkeys.add(visit.signedIn.userId, visit.browserSecret, reading.body);
      return added.kind === "right"
        ? jsonAnswer({ redirect_to: `${ACCOUNT_PATH}?done=passkey_added` })
        : jsonAnswer({ error: signInTexts.passkeyFailed }, 422);
    },
  };
}

/** Shows the account page. */
async function accountPage(
  parts: SignInParts,
  user: SignedIn,
  shown: { errors?: AccountViewProps["errors"]; done?: string | undefined; newInvitation?: string; status?: number },
): Promise<Response> {
  const { sessions, storage, clock, pages, assets } = parts;
  const now = clock.now();
  const view = (
    <AccountView
      user={user}
      now={now}
      sessions={await sessions.list(user.userId)}
      methods={{ ...(await methodsOf(parts, user.userId)), scriptPath: assets.passkeys.path }}
      invitations={user.isOperator ? await listOpenInvitations(storage, user.userId, now) : undefined}
      newInvitation={shown.newInvitation}
      done={shown.done}
      errors={shown.errors ?? {}}
    />
  );
  // Adding an account elsewhere leads on to its issuer.
  const csp = { ...ANY_FORM_TARGET, "connect-src": "'self'" };
  return pages.page({ title: accountTexts.title, user, width: "wide", navigation: consoleNavigation("settings") }, view, {
    csp,
    status: shown.status ?? 200,
  });
}

async function methodsOf(
  { accounts, passkeys, oidc, storage, publicUrl }: SignInParts,
  userId: string,
): Promise<Omit<SignInMethods, "scriptPath">> {
  return {
    loginName: await accounts.loginNameOf(userId),
    passkeys: await passkeys.list(userId),
    identities: await listOidcIdentities(storage, userId),
    providers: oidc.providers,
    passkeySupport: passkeyObstacle(publicUrl()) ?? "offered",
  };
}

async function isOnlyWay(parts: SignInParts, userId: string): Promise<boolean> {
  const { loginName, passkeys, identities } = await methodsOf(parts, userId);
  return (loginName === undefined ? 0 : 1) + passkeys.length + identities.length < 2;
}

function lastWay() {
  return { errors: { method: accountTexts.methods.lastOne }, status: 422 };
}
