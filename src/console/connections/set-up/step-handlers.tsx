import { type ConnectionDraft, createDraft, discardDraft, finishDraft, loadDraft, saveDraft } from "../../../auth/connection-drafts.ts";
import { GatewayError } from "../../../lib/errors.ts";
import { plainText } from "../../../lib/plain-text.ts";
import { ModeBadge } from "../../../pages/components/badge.tsx";
import { PlainName } from "../../../pages/components/plain-name.tsx";
import type { PageRequest } from "../../../pages/page-env.ts";
import { returnPath, withReturnPath } from "../../../pages/return-path.ts";
import { connectionTexts } from "../../../pages/texts/connections.ts";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";
import { consoleFrame } from "../../console-frame.tsx";
import { factsOf, type FormPlace, nothingHere, ownForm, type OwnForm, ownPage, type OwnPage, typedBefore } from "../../console-visits.ts";
import { MAX_LABEL_LENGTH } from "../connection-label.ts";
import { CONNECTIONS_PATH, connectionPath, setUpPath } from "../connection-paths.ts";
import { type OwnConnection, withOwnConnection } from "../own-connection.ts";
import { SaidNotice } from "../said-notice.tsx";
import { readCertificate } from "./certificate.tsx";
import { created, type SetUpDeps } from "./finished.ts";
import { faultsOfStep, firstUnfinishedStep, stepToGoOn } from "./step-faults.ts";
import { StepPage } from "./step-page.tsx";

type Answer = (c: PageRequest) => Promise<Response>;

/** Answers the steps of a set-up. */
export interface StepHandlers {
  /** Goes to the first step that isn't done. */
  readonly goOn: Answer;
  readonly show: Answer;
  readonly submit: Answer;
  /** Hands out one of the public files. */
  readonly file: Answer;
  readonly discard: Answer;
  /** Begins to set up anew a connection that exists. */
  readonly rotate: Answer;
}

/** Makes the handlers. Nothing that was entered is lost by leaving: it is kept sealed until the set-up is finished or discarded. */
export function createStepHandlers(deps: SetUpDeps): StepHandlers {
  return {
    goOn: ownPage(deps, (page) =>
      withDraft(deps, page, (draft) => {
        const to = stepPath(draft, stepToGoOn(draft));
        return Promise.resolve(page.c.redirect(withReturnPath(to, returnPath(page.c.req.query("return_to")) ?? draft.back), 303));
      }),
    ),
    show: ownPage(deps, (page) =>
      withDraft(deps, page, (draft) => {
        const index = stepIndex(page.c, draft);
        if (index < 0) return Promise.resolve(nothingHere(deps, page));
        // Sent back here by the last step, for what it found.
        const faults = page.c.req.query("check") === undefined ? {} : faultsOfStep(draft, index);
        return drawStep(deps, page, { draft, index, faults });
      }),
    ),
    submit: ownForm(deps, placeOf(deps), (form) => submitStep(deps, form)),
    file: ownPage(deps, (page) =>
      withDraft(deps, page, (draft) => {
        const name = page.c.req.param("file") ?? "";
        const file = draft.offer.publicFiles(draft.values).find((candidate) => candidate.name === name);
        if (file === undefined) return Promise.resolve(nothingHere(deps, page));
        // The name is one of the kind's own, never what a person typed.
        const headers = { "Content-Type": "application/octet-stream", "Content-Disposition": `attachment; filename="${file.name}"` };
        return Promise.resolve(
          new Response(file.content, { headers: { ...headers, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" } }),
        );
      }),
    ),
    discard: ownForm(deps, { page: () => CONNECTIONS_PATH }, async (form) => {
      await discardDraft(deps, { draftId: draftIdOf(form.c), userId: form.user.userId });
      return form.c.redirect(`${CONNECTIONS_PATH}?said=draft_deleted`, 303);
    }),
    rotate: ownForm(deps, { page: (c) => connectionPath(c.req.param("connection") ?? "") }, (form) =>
      withOwnConnection(deps, form, (own) => beginRotation(deps, form, own)),
    ),
  };
}

/** Begins to set up anew, unless that is under way already; a connection without credentials has nothing to change. */
async function beginRotation(deps: SetUpDeps, page: OwnPage, { ref, health }: OwnConnection): Promise<Response> {
  const offer = deps.offers.find(({ kind, steps }) => kind === health.kind && steps.length > 0);
  if (offer === undefined || health.isDemo) return nothingHere(deps, page);
  try {
    const draft = await createDraft(deps, { userId: ref.userId, offer, mode: health.mode, label: health.label, rotates: ref.connectionId });
    return page.c.redirect(setUpPath(draft.draftId), 303);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return deps.pages.error("bad_request", { user: page.user, message: error.message, whatToDo: error.whatToDo });
  }
}

async function submitStep(deps: SetUpDeps, form: OwnForm): Promise<Response> {
  const { c, user, fields } = form;
  const key = { draftId: draftIdOf(c), userId: user.userId };
  const saved = await saveDraft(deps, key, { values: valuesOf(deps, form) });
  // Sent twice: the first made the connection, or gave it its credentials.
  if (saved === undefined) return await finish(deps, form, undefined);
  const index = stepIndex(c, saved);
  if (index < 0) return nothingHere(deps, form);
  if (fields.get("action") === "leave") return c.redirect(`${CONNECTIONS_PATH}?said=draft_kept`, 303);
  const faults = faultsOfStep(saved, index);
  if (Object.keys(faults).length > 0) return await drawStep(deps, form, { draft: saved, index, faults });
  const back = returnPath(fields.get("return_to")) ?? saved.back;
  if (index + 1 < saved.offer.steps.length) return c.redirect(withReturnPath(stepPath(saved, index + 1), back), 303);
  return await finish(deps, form, { draft: saved, index });
}

/** What a step's form sent. A certificate that is not confirmed comes as nothing at all: then the one confirmed before isn't either. */
function valuesOf({ offers }: SetUpDeps, { c, fields }: OwnForm): Readonly<Record<string, string>> {
  const confirms = offers.flatMap(({ certificate, steps }) => {
    const isHere =
      certificate !== undefined && steps.some((step) => step.id === c.req.param("step") && step.fields.includes(certificate.field));
    return isHere ? [[certificate.field, ""] as const] : [];
  });
  return { ...Object.fromEntries(confirms), ...Object.fromEntries(fields) };
}

async function finish(
  deps: SetUpDeps,
  form: OwnForm,
  at: { readonly draft: ConnectionDraft; readonly index: number } | undefined,
): Promise<Response> {
  const { c, user, fields } = form;
  const { userId } = user;
  const back = returnPath(fields.get("return_to")) ?? at?.draft.back;
  try {
    const finished = await finishDraft(deps, { draftId: draftIdOf(c), userId });
    switch (finished.kind) {
      case "created":
        return await created(deps, { c, user, back, made: finished });
      case "rotated":
        await noteRotation(deps, form, finished.connectionId);
        deps.log.info({ event: "connection_rotated", user_id: userId, connection: finished.connectionId }, "credentials were replaced");
        deps.tests.begin({ connectionId: finished.connectionId, userId });
        return c.redirect(`${connectionPath(finished.connectionId)}?said=rotated`, 303);
      case "wrong":
        if (at === undefined) return nothingHere(deps, form);
        return c.redirect(withReturnPath(`${stepPath(at.draft, firstUnfinishedStep(at.draft))}?check=1`, back), 303);
      case "gone":
        return nothingHere(deps, form);
    }
  } catch (error) {
    if (!(error instanceof GatewayError) || at === undefined) throw error;
    return await drawStep(deps, form, { ...at, faults: {}, refusal: `${error.message} ${error.whatToDo}` });
  }
}

/** Another login takes back that orders with real money are allowed: the record says what holds now. */
async function noteRotation(deps: SetUpDeps, form: OwnForm, connectionId: string): Promise<void> {
  const { userId } = form.user;
  const connection = await deps.connections.health({ connectionId, userId });
  if (connection === undefined) return;
  const liveTrading = connection.liveTradingEnabledAt === undefined ? "off" : "on";
  const details = connection.mode === "live" ? { live_trading: liveTrading } : {};
  deps.journal.note("connection.credentials_replaced", { ...connection, userId }, { ...factsOf(form), details });
}

interface DrawnStep {
  readonly draft: ConnectionDraft;
  readonly index: number;
  readonly faults: Readonly<Record<string, string>>;
  readonly refusal?: string;
}

async function drawStep(deps: SetUpDeps, { c, user }: OwnPage, { draft, index, faults, refusal }: DrawnStep): Promise<Response> {
  const isRotation = draft.rotates !== undefined;
  const name = plainText(draft.label, MAX_LABEL_LENGTH);
  return deps.pages.page(
    {
      ...consoleFrame(isRotation ? texts.rotateTitle : texts.title, "connections", user),
      width: "narrow",
      heading: (
        <>
          {isRotation ? texts.rotateTitle : <PlainName value={draft.label} fallback={texts.title} />}
          <span class="page-badges">
            <ModeBadge mode={draft.mode} />
          </span>
        </>
      ),
      lead: isRotation ? texts.rotateLead(name) : draft.offer.title,
      back:
        draft.rotates === undefined
          ? { href: CONNECTIONS_PATH, label: connectionTexts.title }
          : { href: connectionPath(draft.rotates), label: connectionTexts.backToConnection },
    },
    <>
      <SaidNotice c={c} />
      <StepPage
        draft={draft}
        index={index}
        faults={faults}
        refusal={refusal}
        certificate={await readCertificate(draft, index, { lock: deps.lock, userId: user.userId })}
        typed={(field) => typedBefore(c, field)}
        formToken={user.formToken}
        back={returnPath(c.req.query("return_to")) ?? draft.back}
        now={deps.clock.now()}
      />
    </>,
    { status: refusal !== undefined || Object.keys(faults).length > 0 ? 422 : 200 },
  );
}

/** A step's form is on its own page; what is no secret is kept for a person who has to sign in again. */
function placeOf({ offers }: SetUpDeps): FormPlace {
  const keeps = offers.flatMap(({ fields }) => fields.filter(({ isSecret }) => !isSecret).map(({ name }) => name));
  return { page: (c) => setUpPath(draftIdOf(c), c.req.param("step") ?? ""), keeps: [...new Set(keeps)] };
}

async function withDraft(deps: SetUpDeps, page: OwnPage, handle: (draft: ConnectionDraft) => Promise<Response>): Promise<Response> {
  const draftId = draftIdOf(page.c);
  const draft = /^drf_\w{1,64}$/.test(draftId) ? await loadDraft(deps, { draftId, userId: page.user.userId }) : undefined;
  return draft === undefined ? nothingHere(deps, page) : await handle(draft);
}

function draftIdOf(c: PageRequest): string {
  return c.req.param("draft") ?? "";
}

function stepIndex(c: PageRequest, draft: ConnectionDraft): number {
  return draft.offer.steps.findIndex(({ id }) => id === c.req.param("step"));
}

function stepPath(draft: ConnectionDraft, index: number): string {
  return setUpPath(draft.draftId, draft.offer.steps[index]?.id ?? "");
}
