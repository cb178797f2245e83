import { type SurveyDeps, type SurveyedConnection, surveyConnections } from "../../connections/connection-survey.ts";
import { GatewayError } from "../../lib/errors.ts";
import { equalSecrets, sha256Hex } from "../../lib/secret.ts";
import { FORM_TOKEN_FIELD } from "../../pages/components/form-token.tsx";
import { ANY_FORM_TARGET } from "../../pages/content-security.ts";
import type { PageRequest } from "../../pages/page-env.ts";
import type { PageRenderer } from "../../pages/page-renderer.tsx";
import { withReturnPath } from "../../pages/return-path.ts";
import { consentTexts } from "../../pages/texts/consent.ts";
import type { AuthorizationRequest, ConsentDesk } from "../oauth/consent-desk.ts";
import { readSentForm, type SentFormDeps } from "../sent-form.ts";
import type { SignedIn } from "../sign-in/browser-session.ts";
import { type ConsentChoices, type ConsentMistake, decide, firstChoices, readChoices } from "./consent-form.ts";
import { ConsentPage } from "./consent-page.tsx";
import { FirstConnection, SignedInAs } from "./consent-frame.tsx";

export interface ConsentHandlersDeps extends SurveyDeps, SentFormDeps {
  /** The authorization server's face, made once the public URL is known. */
  readonly desk: () => ConsentDesk;
  readonly pages: PageRenderer;
}

/** Answers `/consent/:interaction`: shows who asks, and takes the person's decision once. */
export interface ConsentHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly decide: (c: PageRequest) => Promise<Response>;
}

/** Makes the handlers. */
export function createConsentHandlers(deps: ConsentHandlersDeps): ConsentHandlers {
  return {
    show: async (c) => {
      const interactionId = interactionOf(c);
      const signedIn = await deps.sessions.current(c.req.header("cookie"));
      if (signedIn === undefined) return toSignIn(c, interactionId);
      const request = await deps.desk().find(c.env.incoming, c.env.outgoing, interactionId);
      return request === undefined ? expired(deps, c, signedIn) : await showForm(deps, { request, signedIn });
    },
    decide: async (c) => {
      const interactionId = interactionOf(c);
      const sent = await readSentForm(deps, c);
      if (sent.kind === "foreign") return deps.pages.error("forbidden", { requestId: c.env.facts.requestId });
      if (sent.kind === "signed_out") return toSignIn(c, interactionId);
      const { signedIn, fields } = sent;
      const request = await deps.desk().find(c.env.incoming, c.env.outgoing, interactionId);
      if (request === undefined) return expired(deps, c, signedIn);
      const choices = readChoices(fields);
      if (!equalSecrets(fields.get(FORM_TOKEN_FIELD) ?? "", tokenFor(signedIn, interactionId)))
        return await showForm(deps, { request, signedIn, choices, refusal: consentTexts.errors.form_token });
      try {
        if (fields.get("decision") === "deny") {
          const { redirectTo } = await deps.desk().deny(c.env.incoming, c.env.outgoing, interactionId);
          return c.redirect(redirectTo, 303);
        }
        return await approve(deps, c, { request, signedIn, choices });
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        const still = await deps.desk().find(c.env.incoming, c.env.outgoing, interactionId);
        if (still === undefined) return expired(deps, c, signedIn);
        return await showForm(deps, { request, signedIn, choices, refusal: `${error.message} ${error.whatToDo}` });
      }
    },
  };
}

interface Asked {
  readonly request: AuthorizationRequest;
  readonly signedIn: SignedIn;
}

async function approve(
  deps: ConsentHandlersDeps,
  c: PageRequest,
  { request, signedIn, choices }: Asked & { readonly choices: ConsentChoices },
): Promise<Response> {
  const connections = await surveyConnections(deps, signedIn.userId);
  const outcome = decide(choices, connections, { userId: signedIn.userId, now: deps.clock.now() });
  if ("mistakes" in outcome) return await showForm(deps, { request, signedIn, choices, mistakes: outcome.mistakes, connections });
  const { redirectTo } = await deps.desk().approve(c.env.incoming, c.env.outgoing, request.interactionId, outcome.decision);
  return c.redirect(redirectTo, 303);
}

interface Shown extends Asked {
  /** What was chosen before; without it the form is a new one. */
  readonly choices?: ConsentChoices;
  readonly mistakes?: readonly ConsentMistake[];
  readonly refusal?: string;
  /** What was learnt of the connections a moment ago. */
  readonly connections?: readonly SurveyedConnection[];
}

async function showForm(deps: ConsentHandlersDeps, shown: Shown): Promise<Response> {
  const { request, signedIn, choices, mistakes = [], refusal } = shown;
  const connections = shown.connections ?? (await surveyConnections(deps, signedIn.userId));
  const { interactionId } = request;
  const content =
    connections.length === 0 ? (
      <FirstConnection request={request} formToken={tokenFor(signedIn, interactionId)} />
    ) : (
      <ConsentPage
        request={request}
        connections={connections}
        choices={choices ?? firstChoices(connections)}
        mistakes={mistakes}
        refusal={refusal}
        formToken={tokenFor(signedIn, interactionId)}
      />
    );
  return deps.pages.page(
    { title: consentTexts.title, heading: consentTexts.heading },
    <>
      <SignedInAs signedIn={signedIn} back={`/consent/${interactionId}`} />
      {content}
    </>,
    { csp: ANY_FORM_TARGET, status: mistakes.length > 0 || refusal !== undefined ? 422 : 200 },
  );
}

/** The form's token holds for this session and this authorization only. */
function tokenFor({ formToken }: SignedIn, interactionId: string): string {
  return sha256Hex(`consent ${interactionId} ${formToken}`);
}

function interactionOf(c: PageRequest): string {
  return c.req.param("interaction") ?? "";
}

function toSignIn(c: PageRequest, interactionId: string): Response {
  return c.redirect(withReturnPath("/sign-in", `/consent/${encodeURIComponent(interactionId)}`), 303);
}

function expired({ pages }: ConsentHandlersDeps, c: PageRequest, signedIn: SignedIn): Response {
  return pages.error("expired", { user: signedIn, requestId: c.env.facts.requestId });
}
