import { createDraft } from "../../../auth/connection-drafts.ts";
import { createConnection } from "../../../auth/create-connection.ts";
import type { SignedIn } from "../../../auth/sign-in/browser-session.ts";
import { GatewayError } from "../../../lib/errors.ts";
import type { PageRequest } from "../../../pages/page-env.ts";
import { returnPath, withReturnPath } from "../../../pages/return-path.ts";
import { connectionTexts } from "../../../pages/texts/connections.ts";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";
import { consoleFrame } from "../../console-frame.tsx";
import { ownForm, type OwnForm, ownPage, typedBefore } from "../../console-visits.ts";
import { readLabel } from "../connection-label.ts";
import { CONNECTIONS_PATH, setUpPath } from "../connection-paths.ts";
import { type Choosable, choosableFrom, ChoosePage, type ChoosePageProps, type FirstChoice } from "./choose-page.tsx";
import { SaidNotice } from "../said-notice.tsx";
import { created, type SetUpDeps } from "./finished.ts";

const FORM_ID = /^[0-9a-f]{32}$/;

/** Answers the first page of a set-up. */
export interface ChooseHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly submit: (c: PageRequest) => Promise<Response>;
}

/** Makes the handlers: what needs nothing but a name is made at once, for everything else a set-up begins. */
export function createChooseHandlers(deps: SetUpDeps): ChooseHandlers {
  const choosable = choosableFrom(deps.offers);
  return {
    show: ownPage(deps, ({ c, user }) => {
      const asked = typedBefore(c, "kind") ?? c.req.query("kind");
      const first = choosable.find(({ value, offer }) => value === asked || offer.id === asked) ?? choosable[0];
      const choice = {
        kind: first?.value ?? "",
        label: typedBefore(c, "label") ?? "",
        formId: deps.random.bytes(16).toString("hex"),
      };
      return Promise.resolve(drawChoice(deps, { c, user, choosable, choice, back: returnPath(c.req.query("return_to")) }));
    }),
    submit: ownForm(deps, { page: () => setUpPath(), keeps: ["kind", "label"] }, (form) => submit(deps, choosable, form)),
  };
}

async function submit(deps: SetUpDeps, choosable: readonly Choosable[], { c, user, fields }: OwnForm): Promise<Response> {
  const choice: FirstChoice = {
    kind: fields.get("kind") ?? "",
    label: fields.get("label") ?? "",
    formId: fields.get("form_id") ?? "",
  };
  const chosen = choosable.find(({ value }) => value === choice.kind);
  const label = readLabel(choice.label);
  const back = returnPath(fields.get("return_to"));
  const again = (more: Pick<ChoosePageProps, "errors"> | { readonly refusal: string }) =>
    drawChoice(deps, { c, user, choosable, choice, back, ...more });
  if (chosen === undefined || label === undefined || !FORM_ID.test(choice.formId)) {
    const isKindWrong = chosen === undefined || !FORM_ID.test(choice.formId);
    return again({
      errors: { ...(isKindWrong ? { kind: texts.errors.kind } : {}), ...(label === undefined ? { label: texts.errors.label } : {}) },
    });
  }
  const { userId } = user;
  const { offer, mode } = chosen;
  try {
    if (offer.steps.length > 0) {
      const { draftId } = await createDraft(deps, { userId, offer, mode, label, formId: choice.formId, back });
      return c.redirect(withReturnPath(setUpPath(draftId), back), 303);
    }
    const read = offer.read({});
    if ("wrong" in read) throw new Error(`the offer ${offer.id} asks for nothing, and that is not enough`);
    const made = await createConnection(deps, { userId, offer, mode, label, entry: read.entry, formId: choice.formId });
    return await created(deps, { c, user, back, made });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return again({ refusal: `${error.message} ${error.whatToDo}` });
  }
}

interface Drawn {
  readonly c: PageRequest;
  readonly user: SignedIn;
  readonly choosable: readonly Choosable[];
  readonly choice: FirstChoice;
  readonly back: string | undefined;
  readonly errors?: Readonly<Record<string, string>>;
  readonly refusal?: string;
}

function drawChoice(deps: SetUpDeps, { c, user, errors = {}, refusal, back, ...shown }: Drawn): Response {
  const hasFailed = refusal !== undefined || Object.keys(errors).length > 0;
  return deps.pages.page(
    {
      ...consoleFrame(texts.title, "connections", user),
      width: "narrow",
      lead: texts.lead,
      back: { href: CONNECTIONS_PATH, label: connectionTexts.title },
    },
    <>
      <SaidNotice c={c} />
      <ChoosePage {...shown} back={back} errors={errors} refusal={refusal} formToken={user.formToken} cancelTo={back ?? CONNECTIONS_PATH} />
    </>,
    { status: hasFailed ? 422 : 200 },
  );
}
