import type { Context } from "hono";

import { equalSecrets } from "../../lib/secret.ts";
import { FORM_TOKEN_FIELD } from "../../pages/components/form-token.tsx";

import type { SessionKeeper, SignedIn } from "./browser-session.ts";
import { type CookieJar, formTokenOf, newCookieSecret } from "./cookies.ts";
import type { PageEnv } from "../../pages/page-env.ts";
import { isSameOrigin } from "../../pages/same-origin.ts";
import type { SignInDeps } from "./sign-in-deps.ts";

/** A browser that asks for a page. */
export interface Visit {
  readonly signedIn: SignedIn | undefined;
  /** Value of the cookie that binds forms and flows to this browser: the session's, or the visitor's. */
  readonly browserSecret: string;
  readonly formToken: string;
  /** True when the browser sent one of our cookies, so that it takes them. */
  readonly hasCookie: boolean;
  /** Cookies to set with the answer. */
  readonly setCookies: readonly string[];
  readonly cookieHeader: string | undefined;
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
  readonly requestId: string;
}

/** A form that was sent. */
export interface SentForm {
  readonly visit: Visit;
  /** Text of a field, empty when it is missing. */
  readonly field: (name: string) => string;
}

/** Why a form is not looked at. */
export type FormRefusal = "foreign_origin" | "no_cookie" | "old_form" | "not_a_form";

/** A form that is good, or one that is refused, with what was typed. */
export type FormReading =
  | { readonly kind: "form"; readonly form: SentForm }
  | { readonly kind: "refused"; readonly reason: FormRefusal; readonly form: SentForm };

/** JSON that is good, or why it is refused. */
export type JsonReading =
  | { readonly kind: "json"; readonly visit: Visit; readonly body: unknown }
  | { readonly kind: "refused"; readonly reason: FormRefusal; readonly visit: Visit };

/** Reads who asks, and the forms that they send. */
export interface Visits {
  read(c: Context<PageEnv>): Promise<Visit>;
  /** Checks where a form came from (`Origin`, `Sec-Fetch-Site`), the cookie and the form token, in this order. */
  readForm(c: Context<PageEnv>): Promise<FormReading>;
  /** The same for a script's JSON; its form token comes in the header `X-Form-Token`. */
  readJson(c: Context<PageEnv>): Promise<JsonReading>;
}

/** Makes the reader. */
export function createVisits({ random, publicUrl }: SignInDeps, cookies: CookieJar, sessions: SessionKeeper): Visits {
  const read = async (c: Context<PageEnv>): Promise<Visit> => {
    const cookieHeader = c.req.header("cookie");
    const signedIn = await sessions.current(cookieHeader);
    const known = signedIn === undefined ? cookies.visitor(cookieHeader) : cookies.session(cookieHeader);
    const browserSecret = known ?? newCookieSecret(random);
    return {
      signedIn,
      browserSecret,
      formToken: formTokenOf(browserSecret),
      hasCookie: known !== undefined,
      setCookies: known === undefined ? [cookies.setVisitor(browserSecret)] : [],
      cookieHeader,
      address: c.env.facts.address,
      userAgent: c.req.header("user-agent"),
      requestId: c.env.facts.requestId,
    };
  };
  const refusal = (c: Context<PageEnv>, visit: Visit, token: string | undefined): FormRefusal | undefined => {
    const headers = { origin: c.req.header("origin"), host: c.req.header("host"), secFetchSite: c.req.header("sec-fetch-site") };
    if (!isSameOrigin(headers, publicUrl())) return "foreign_origin";
    if (!visit.hasCookie) return "no_cookie";
    return token !== undefined && equalSecrets(token, visit.formToken) ? undefined : "old_form";
  };
  return {
    read,
    readForm: async (c) => {
      const visit = await read(c);
      if (!/^application\/x-www-form-urlencoded\b/i.test(c.req.header("content-type") ?? "")) {
        return { kind: "refused", reason: "not_a_form", form: { visit, field: () => "" } };
      }
      const fields = new URLSearchParams(await c.req.text());
      // No person types a zero character, and PostgreSQL takes none.
      const form: SentForm = { visit, field: (name) => (fields.get(name) ?? "").replaceAll("\0", "") };
      const reason = refusal(c, visit, fields.get(FORM_TOKEN_FIELD) ?? undefined);
      return reason === undefined ? { kind: "form", form } : { kind: "refused", reason, form };
    },
    readJson: async (c) => {
      const visit = await read(c);
      const reason = refusal(c, visit, c.req.header("x-form-token"));
      if (reason !== undefined) return { kind: "refused", reason, visit };
      try {
        return { kind: "json", visit, body: await c.req.json() };
      } catch {
        return { kind: "refused", reason: "not_a_form", visit };
      }
    },
  };
}
