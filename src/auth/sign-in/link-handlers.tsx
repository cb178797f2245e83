import type { Context } from "hono";

import { ANY_FORM_TARGET } from "../../pages/content-security.ts";
import { signInTexts } from "../../pages/texts/sign-in.ts";
import { findLocalAccountOf } from "../../storage/local-accounts.ts";
import type { SignInLinkRow } from "../../storage/sign-in-links.ts";
import { type LinkErrors, LinkView, type TypedPerson } from "./link-view.tsx";
import { loginNameFrom } from "./local-accounts.ts";
import { createPerson, MAX_DISPLAY_NAME } from "./new-person.ts";
import { findLink, type LinkKind } from "./one-time-links.ts";
import { passwordFault } from "./password-rules.ts";
import { refusedForm } from "./refused-form.tsx";
import { busy } from "./sign-in-handlers.tsx";
import { beginSession, goTo, HOME_OF_PEOPLE, type SignInParts, withCookies } from "./sign-in-parts.ts";
import type { PageEnv } from "../../pages/page-env.ts";
import type { SentForm, Visit } from "./visit.ts";

interface Filled {
  readonly typed: TypedPerson;
  readonly password: string;
}

const NOTHING: TypedPerson = { displayName: "", loginName: "" };

/** Makes the handlers of one kind of one-time link. */
export function createLinkHandlers(parts: SignInParts, kind: LinkKind) {
  const { visits } = parts;
  return {
    show: async (c: Context<PageEnv>) => {
      const visit = await visits.read(c);
      const token = c.req.param("token") ?? "";
      const found = await findLink(parts, kind, token);
      if (found.kind === "unusable") return unusable(parts, visit, found.reason);
      return linkPage(parts, visit, { kind, token, typed: NOTHING, errors: {} });
    },
    submit: async (c: Context<PageEnv>) => {
      const reading = await visits.readForm(c);
      const { visit } = reading.form;
      const token = c.req.param("token") ?? "";
      const filled = filledIn(reading.form);
      const again = (errors: LinkErrors, status = 422) => linkPage(parts, visit, { kind, token, typed: filled.typed, errors, status });
      if (reading.kind === "refused") {
        return reading.reason === "old_form"
          ? again({ form: signInTexts.faults.old_form }, 403)
          : refusedForm(parts, reading.reason, visit);
      }
      const found = await findLink(parts, kind, token);
      if (found.kind === "unusable") return unusable(parts, visit, found.reason);
      const { link } = found;
      const errors = await faultsOf(parts, link, filled);
      if (Object.keys(errors).length > 0) return again(errors);
      return kind === "reset"
        ? await resetPassword(parts, visit, { link, filled, again })
        : await create(parts, visit, { link, filled, again });
    },
  };
}

interface Submission {
  readonly link: SignInLinkRow;
  readonly filled: Filled;
  readonly again: (errors: LinkErrors, status?: number) => Response;
}

async function create(parts: SignInParts, visit: Visit, { link, filled, again }: Submission): Promise<Response> {
  const hashed = await parts.hasher.hash(filled.password).catch(busy);
  if (typeof hashed !== "string") return again({ form: signInTexts.busy }, 503);
  const loginName = loginNameFrom(filled.typed.loginName) ?? "";
  const method = { kind: "password", loginName, passwordHash: hashed } as const;
  const made = await createPerson(parts, { link, displayName: filled.typed.displayName, method });
  if (made.kind === "refused") {
    return made.reason === "link_used" ? unusable(parts, visit, "used") : again({ loginName: signInTexts.faults.login_name_taken });
  }
  parts.log.info({ event: "account_created", user_id: made.userId, link: link.id, kind: link.kind }, "an account was created");
  await parts.throttle.remember({ loginName, address: visit.address });
  return goTo(HOME_OF_PEOPLE, await beginSession(parts, visit, { userId: made.userId, method: "password" }));
}

async function resetPassword(parts: SignInParts, visit: Visit, { link, filled, again }: Submission): Promise<Response> {
  const done = await parts.accounts.reset(link, filled.password).catch(busy);
  if (typeof done !== "boolean") return again({ form: signInTexts.busy }, 503);
  if (!done) return unusable(parts, visit, "used");
  const loginName = link.user_id === null ? undefined : await parts.accounts.loginNameOf(link.user_id);
  await parts.throttle.remember({ loginName, address: visit.address });
  return goTo("/sign-in?done=reset", [parts.cookies.clearSession()]);
}

function filledIn({ field }: SentForm): Filled {
  return {
    typed: { displayName: field("display_name").trim(), loginName: field("login_name").trim() },
    password: field("password"),
  };
}

async function faultsOf(parts: SignInParts, link: SignInLinkRow, { typed, password }: Filled): Promise<LinkErrors> {
  const { faults } = signInTexts;
  const isReset = link.kind === "reset";
  const account = isReset && link.user_id !== null ? await findLocalAccountOf(parts.storage, link.user_id) : undefined;
  const names = isReset ? [account?.login_name ?? ""] : [typed.loginName, typed.displayName];
  const fault = passwordFault(password, names);
  const isNamed = typed.displayName.length > 0 && typed.displayName.length <= MAX_DISPLAY_NAME;
  return {
    ...(isReset || isNamed ? {} : { displayName: faults.displayName }),
    ...(isReset || loginNameFrom(typed.loginName) !== undefined ? {} : { loginName: faults.loginName }),
    ...(fault === undefined ? {} : { password: faults[fault] }),
  };
}

function linkPage(
  parts: SignInParts,
  visit: Visit,
  shown: { kind: LinkKind; token: string; typed: TypedPerson; errors: LinkErrors; status?: number },
): Response {
  const view = (
    <LinkView
      kind={shown.kind}
      token={shown.token}
      formToken={visit.formToken}
      signedInAs={visit.signedIn?.displayName}
      typed={shown.typed}
      errors={shown.errors}
      providers={parts.oidc.providers}
    />
  );
  // The address of the page is a secret: not even our own pages are told it. Its form says where it comes from all the same.
  const answer = { status: shown.status ?? 200, csp: ANY_FORM_TARGET, headers: { "Referrer-Policy": "strict-origin" } };
  return withCookies(parts.pages.page({ title: signInTexts[shown.kind].title, user: visit.signedIn }, view, answer), visit.setCookies);
}

function unusable({ pages }: SignInParts, visit: Visit, reason: "unknown" | "used" | "expired"): Response {
  const kind = reason === "unknown" ? "not_found" : "expired";
  return pages.error(kind, { user: visit.signedIn, ...signInTexts.link[reason] });
}
