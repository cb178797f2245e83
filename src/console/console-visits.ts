import { readSentForm, type SentFormDeps } from "../auth/sent-form.ts";
import type { SignedIn } from "../auth/sign-in/browser-session.ts";
import { equalSecrets } from "../lib/secret.ts";
import { FORM_TOKEN_FIELD } from "../pages/components/form-token.tsx";
import type { PageRequest } from "../pages/page-env.ts";
import type { PageRenderer } from "../pages/page-renderer.tsx";
import { returnPath, withReturnPath } from "../pages/return-path.ts";

export interface ConsoleVisitDeps extends SentFormDeps {
  readonly pages: PageRenderer;
}

/** A page that a signed-in person asks for. */
export interface OwnPage {
  readonly c: PageRequest;
  readonly user: SignedIn;
}

/** A form of a signed-in person, sent by a page of ours in this session. */
export interface OwnForm extends OwnPage {
  readonly fields: URLSearchParams;
}

/** Where a form stands, for a person who has to sign in first, or whose form was too old. */
export interface FormPlace {
  /** The page with the form. */
  readonly page: (c: PageRequest) => string;
  /** Fields that are no secrets: what was typed there is in the form again when the person is back. */
  readonly keeps?: readonly string[];
}

/** Reads like a field's name and never is one of ours. */
const KEPT = "typed.";
/** Longer texts are typed again: an address has room for some. */
const MAX_KEPT_LENGTH = 500;

/** Shows a page to signed-in people; everybody else signs in and comes back to it. */
export function ownPage(deps: ConsoleVisitDeps, show: (page: OwnPage) => Promise<Response>): (c: PageRequest) => Promise<Response> {
  return async (c) => {
    const user = await deps.sessions.current(c.req.header("cookie"));
    return user === undefined ? toSignIn(c, addressOf(c)) : await show({ c, user });
  };
}

/**
 * Takes a form from signed-in people, after checking where it comes from and its token. Who was signed out meanwhile signs
 * in and comes back to the form, as does, with `?said=old_form`, who sends one that an earlier session was shown.
 */
export function ownForm(
  deps: ConsoleVisitDeps,
  place: FormPlace,
  handle: (form: OwnForm) => Promise<Response>,
): (c: PageRequest) => Promise<Response> {
  return async (c) => {
    const sent = await readSentForm(deps, c);
    if (sent.kind === "foreign") return deps.pages.error("forbidden", { requestId: c.env.facts.requestId });
    if (sent.kind === "signed_out") return toSignIn(c, pageWithTyped(place, c, sent.fields));
    const { signedIn: user, fields } = sent;
    if (!equalSecrets(fields.get(FORM_TOKEN_FIELD) ?? "", user.formToken)) {
      const page = pageWithTyped(place, c, fields);
      return c.redirect(`${page}${page.includes("?") ? "&" : "?"}said=old_form`, 303);
    }
    return await handle({ c, user, fields });
  };
}

/** Sends a user whose sign-in is too old to sign in again; they come back to the form with what they typed. */
export function toFreshSignIn(place: FormPlace, { c, fields }: OwnForm): Response {
  return c.redirect(freshSignInPath(pageWithTyped(place, c, fields)), 303);
}

/** The page on which a signed-in user signs in again, and from which they come back to `page`. */
export function freshSignInPath(page: string): string {
  return withReturnPath("/sign-in?again=1", returnPath(page));
}

/** Who asks, by which request and from where: what goes on record with a decision. */
export function factsOf({ c, user }: OwnPage): {
  readonly userId: string;
  readonly requestId: string;
  readonly address: string | undefined;
} {
  return { userId: user.userId, requestId: c.env.facts.requestId, address: c.env.facts.address };
}

/** What a person had typed into the field of this name before they had to sign in again. */
export function typedBefore(c: PageRequest, name: string): string | undefined {
  return c.req.query(KEPT + name)?.slice(0, MAX_KEPT_LENGTH);
}

/** Answers 404 in the frame of a signed-in person: the same for what doesn't exist and for what is somebody else's. */
export function nothingHere({ pages }: Pick<ConsoleVisitDeps, "pages">, { c, user }: OwnPage): Response {
  return pages.error("not_found", { user, requestId: c.env.facts.requestId });
}

function pageWithTyped(place: FormPlace, c: PageRequest, fields: URLSearchParams): string {
  return withTyped(
    place.page(c),
    (place.keeps ?? []).map((name) => [name, fields.get(name)] as const),
  );
}

function withTyped(page: string, typed: readonly (readonly [string, string | null])[]): string {
  const query = new URLSearchParams();
  for (const [name, value] of typed) {
    if (value !== null && value !== "" && value.length <= MAX_KEPT_LENGTH) query.set(KEPT + name, value);
  }
  return query.size === 0 ? page : `${page}${page.includes("?") ? "&" : "?"}${query.toString()}`;
}

/** The address that was asked for, with its query. */
function addressOf(c: PageRequest): string {
  const { pathname, search } = new URL(c.req.url);
  return pathname + search;
}

function toSignIn(c: PageRequest, back: string): Response {
  return c.redirect(withReturnPath("/sign-in", returnPath(back)), 303);
}
