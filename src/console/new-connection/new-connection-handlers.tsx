import { createConnection, type CreateConnectionDeps } from "../../auth/create-connection.ts";
import { readSentForm, type SentFormDeps } from "../../auth/sent-form.ts";
import type { SignedIn } from "../../auth/sign-in/browser-session.ts";
import type { ConnectionOffer } from "../../connections/connection-offers.ts";
import { GatewayError } from "../../lib/errors.ts";
import { equalSecrets } from "../../lib/secret.ts";
import { FORM_TOKEN_FIELD } from "../../pages/components/form-token.tsx";
import type { PageRequest } from "../../pages/page-env.ts";
import type { PageRenderer } from "../../pages/page-renderer.tsx";
import { returnPath, withReturnPath } from "../../pages/return-path.ts";
import { connectionTexts } from "../../pages/texts/connections.ts";
import { findConnection } from "../../storage/connections.ts";
import { createKeyReveal, type KeyReveal } from "../key-reveal.ts";
import { checkDraft, type ConnectionDraft, readDraft } from "./connection-draft.ts";
import { CreatedPage } from "./created-page.tsx";
import { NewConnectionPage } from "./new-connection-page.tsx";

export interface NewConnectionDeps extends CreateConnectionDeps, SentFormDeps {
  readonly pages: PageRenderer;
  /** What people can add on this gateway. */
  readonly offers: readonly ConnectionOffer[];
}

/** Answers `/connections/new` and the page that follows it. */
export interface NewConnectionHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly create: (c: PageRequest) => Promise<Response>;
  readonly showCreated: (c: PageRequest) => Promise<Response>;
}

const PATH = "/connections/new";
/** Where a person goes on who came from nowhere. */
const HOME = "/account";

/** Makes the handlers. */
export function createNewConnectionHandlers(deps: NewConnectionDeps): NewConnectionHandlers {
  const reveal = createKeyReveal(deps, () => deps.publicUrl().startsWith("https:"));
  return {
    show: async (c) => {
      const back = returnPath(c.req.query("return_to"));
      const signedIn = await deps.sessions.current(c.req.header("cookie"));
      if (signedIn === undefined) return toSignIn(c, withReturnPath(PATH, back));
      const [first] = deps.offers;
      const asked = c.req.query("kind") ?? first?.id;
      return showForm(deps, {
        signedIn,
        back,
        draft: { kind: asked, label: "", values: {}, formId: deps.random.bytes(16).toString("hex") },
      });
    },
    create: async (c) => {
      const sent = await readSentForm(deps, c);
      if (sent.kind === "foreign") return deps.pages.error("forbidden", { requestId: c.env.facts.requestId });
      if (sent.kind === "signed_out") return toSignIn(c, PATH);
      const { signedIn, fields } = sent;
      const form = { signedIn, back: returnPath(fields.get("return_to")), draft: readDraft(fields) };
      if (!equalSecrets(fields.get(FORM_TOKEN_FIELD) ?? "", signedIn.formToken))
        return showForm(deps, { ...form, refusal: connectionTexts.errors.form_token });
      return await create(deps, reveal, { c, form });
    },
    showCreated: (c) => showCreated(deps, reveal, c),
  };
}

interface Form {
  readonly signedIn: SignedIn;
  readonly back: string | undefined;
  readonly draft: ConnectionDraft;
  readonly errors?: Readonly<Record<string, string>>;
  readonly refusal?: string;
}

async function create(deps: NewConnectionDeps, reveal: KeyReveal, { c, form }: { c: PageRequest; form: Form }): Promise<Response> {
  const { signedIn, back, draft } = form;
  const { userId } = signedIn;
  const offer = deps.offers.find(({ id }) => id === draft.kind);
  const checked = checkDraft(draft, offer);
  const [mode] = offer?.modes ?? [];
  if ("errors" in checked || offer === undefined || mode === undefined)
    return showForm(deps, { ...form, errors: "errors" in checked ? checked.errors : {} });
  try {
    const { connectionId, key } = await createConnection(deps, { userId, offer, mode, formId: draft.formId, ...checked });
    c.header("Set-Cookie", reveal.cookieFor({ userId, path: createdPath(connectionId) }, key));
    return c.redirect(withReturnPath(createdPath(connectionId), back), 303);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return showForm(deps, { ...form, refusal: `${error.message} ${error.whatToDo}` });
  }
}

async function showCreated(deps: NewConnectionDeps, reveal: KeyReveal, c: PageRequest): Promise<Response> {
  const connectionId = c.req.param("connection") ?? "";
  const back = returnPath(c.req.query("return_to"));
  const signedIn = await deps.sessions.current(c.req.header("cookie"));
  if (signedIn === undefined) return toSignIn(c, withReturnPath(`/connections/${encodeURIComponent(connectionId)}/created`, back));
  const place = { userId: signedIn.userId, connectionId };
  // Whatever stands in the address, only what can be an id is looked for.
  const connection = /^con_\w+$/.test(connectionId) ? await findConnection(deps.storage, place) : undefined;
  if (connection === undefined) return deps.pages.error("not_found", { user: signedIn, requestId: c.env.facts.requestId });
  const shown = { userId: signedIn.userId, path: createdPath(connectionId) };
  const key = reveal.read(shown, c.req.header("cookie"));
  return deps.pages.page(
    { title: connectionTexts.createdTitle, user: signedIn },
    <CreatedPage label={connection.label} apiKey={key} publicUrl={deps.publicUrl()} back={back ?? HOME} />,
    key === undefined ? {} : { headers: { "Set-Cookie": reveal.clearedCookie(shown) } },
  );
}

function showForm(deps: NewConnectionDeps, { signedIn, back, draft, errors = {}, refusal }: Form): Response {
  return deps.pages.page(
    { title: connectionTexts.addTitle, user: signedIn },
    <NewConnectionPage
      offers={deps.offers}
      offer={deps.offers.find(({ id }) => id === draft.kind)}
      draft={draft}
      errors={errors}
      refusal={refusal}
      formToken={signedIn.formToken}
      back={back}
      cancelTo={back ?? HOME}
    />,
    { status: refusal !== undefined || Object.keys(errors).length > 0 ? 422 : 200 },
  );
}

/** Where the key of a new connection is shown. */
function createdPath(connectionId: string): string {
  return `/connections/${connectionId}/created`;
}

function toSignIn(c: PageRequest, back: string): Response {
  return c.redirect(withReturnPath("/sign-in", back), 303);
}
