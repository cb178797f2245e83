import { type ApiKeyDeps, findApiKey, listApiKeys, mintApiKey, revokeApiKey } from "../../auth/api-keys.ts";
import { createKeyJournal, type KeyJournal } from "../../auth/key-journal.ts";
import type { SignedIn } from "../../auth/sign-in/browser-session.ts";
import type { Connections } from "../../connections/connections.ts";
import { GatewayError } from "../../lib/errors.ts";
import { sha256Hex } from "../../lib/secret.ts";
import { Button, ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import type { PageRequest } from "../../pages/page-env.ts";
import { keyTexts as texts } from "../../pages/texts/keys.ts";
import type { AuditLog } from "../../storage/audit-log.ts";
import type { Sealer } from "../../storage/sealing.ts";
import { consoleFrame } from "../console-frame.tsx";
import {
  factsOf,
  type ConsoleVisitDeps,
  nothingHere,
  type OwnForm,
  type OwnPage,
  ownForm,
  ownPage,
  typedBefore,
} from "../console-visits.ts";
import { createKeyReveal, type KeyReveal } from "../key-reveal.ts";
import { knownAccounts } from "../known-accounts.ts";
import { leavingNotice, leavingQuery } from "../orders/leaving-orders.tsx";
import { listNamedConnections, type NamedConnection } from "../own-connections.tsx";
import { CreatedKeyPage, KeyFacts } from "./created-key-page.tsx";
import { checkKeyDraft, firstDraft, type KeyDraft, type KeyErrors, readKeyDraft } from "./key-draft.ts";
import { KeysPage } from "./keys-page.tsx";
import { ChooseConnection, NewKeyPage } from "./new-key-page.tsx";

export interface KeyHandlersDeps extends ApiKeyDeps, ConsoleVisitDeps {
  readonly sealer: Sealer;
  readonly connections: Connections;
  readonly audit: Pick<AuditLog, "record">;
}

/** Answers `/console/keys` and the pages under it. */
export interface KeyHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly showNew: (c: PageRequest) => Promise<Response>;
  readonly create: (c: PageRequest) => Promise<Response>;
  readonly showCreated: (c: PageRequest) => Promise<Response>;
  readonly showRevocation: (c: PageRequest) => Promise<Response>;
  readonly revoke: (c: PageRequest) => Promise<Response>;
}

const PATH = "/console/keys";
const BACK = { href: PATH, label: texts.title };
const KEY_ID = /^key_\w{1,64}$/;
const FORM_ID = /^[0-9a-f]{32}$/;

/** Makes the handlers. */
export function createKeyHandlers(deps: KeyHandlersDeps): KeyHandlers {
  const reveal = createKeyReveal(deps, () => deps.publicUrl().startsWith("https:"));
  const journal = createKeyJournal(deps.audit, () => deps.clock.now());
  const newPlace = {
    page: (c: PageRequest) => `${PATH}/new${connectionQuery(c.req.query("connection"))}`,
    keeps: ["label", "connection"],
  };
  const revokePlace = { page: (c: PageRequest) => `${PATH}/${encodeURIComponent(c.req.param("key") ?? "")}/revoke` };
  return {
    show: ownPage(deps, (page) => showKeys(deps, page)),
    showNew: ownPage(deps, (page) => showNew(deps, page)),
    create: ownForm(deps, newPlace, (form) => create(deps, { reveal, journal }, form)),
    showCreated: ownPage(deps, (page) => showCreated(deps, reveal, page)),
    showRevocation: ownPage(deps, (page) => showRevocation(deps, page)),
    revoke: ownForm(deps, revokePlace, (form) => revoke(deps, journal, form)),
  };
}

async function showKeys(deps: KeyHandlersDeps, page: OwnPage): Promise<Response> {
  const { c, user } = page;
  const connections = await listNamedConnections(deps.storage, user.userId);
  const keys = await listApiKeys(deps.storage, user.userId);
  const said = Object.entries(texts.said).find(([name]) => name === c.req.query("said"))?.[1];
  return deps.pages.page(
    { ...consoleFrame(texts.title, "keys", user), lead: texts.lead },
    <>
      {said !== undefined && (
        <Notice tone="success">
          <p>{said}</p>
        </Notice>
      )}
      {await leavingNotice(deps.storage, page)}
      <KeysPage connections={connections} keys={keys} now={deps.clock.now()} />
    </>,
  );
}

async function showNew(deps: KeyHandlersDeps, page: OwnPage): Promise<Response> {
  const { c, user } = page;
  const connections = await listNamedConnections(deps.storage, user.userId);
  const asked = c.req.query("connection") ?? typedBefore(c, "connection");
  const [only] = connections;
  const connection = asked === undefined ? (connections.length === 1 ? only : undefined) : connections.find(({ id }) => id === asked);
  if (connection === undefined && asked !== undefined) return nothingHere(deps, page);
  const frame = { ...consoleFrame(texts.form.title, "keys", user), back: BACK };
  if (connection === undefined) return deps.pages.page(frame, <ChooseConnection connections={connections} />);
  const draft = firstDraft(deps.random.bytes(16).toString("hex"), typedBefore(c, "label"));
  const refusal = c.req.query("said") === "old_form" ? texts.form.errors.oldForm : undefined;
  return await showForm(deps, { user, connection, hasOthers: connections.length > 1, draft, refusal });
}

interface ShownForm {
  readonly user: SignedIn;
  readonly connection: NamedConnection;
  readonly hasOthers: boolean;
  readonly draft: KeyDraft;
  readonly errors?: KeyErrors;
  readonly refusal?: string | undefined;
}

async function showForm(deps: KeyHandlersDeps, shown: ShownForm): Promise<Response> {
  const { user, connection, hasOthers, draft, errors = {}, refusal } = shown;
  return deps.pages.page(
    { ...consoleFrame(texts.form.title, "keys", user), width: "narrow", back: BACK },
    <NewKeyPage
      connection={connection}
      hasOthers={hasOthers}
      accounts={await knownAccounts(deps, { connectionId: connection.id, userId: user.userId })}
      draft={draft}
      errors={errors}
      refusal={refusal}
      formToken={user.formToken}
    />,
    { status: refusal !== undefined || Object.keys(errors).length > 0 ? 422 : 200 },
  );
}

async function create(
  deps: KeyHandlersDeps,
  { reveal, journal }: { readonly reveal: KeyReveal; readonly journal: KeyJournal },
  form: OwnForm,
): Promise<Response> {
  const { c, user, fields } = form;
  const connections = await listNamedConnections(deps.storage, user.userId);
  const connection = connections.find(({ id }) => id === fields.get("connection"));
  if (connection === undefined) return nothingHere(deps, form);
  const draft = readKeyDraft(fields);
  const shown = { user, connection, hasOthers: connections.length > 1, draft };
  if (!FORM_ID.test(draft.formId)) return await showForm(deps, { ...shown, refusal: texts.form.errors.oldForm });
  const ref = { connectionId: connection.id, userId: user.userId };
  const accounts = draft.accountChoice === "all" ? undefined : await knownAccounts(deps, ref);
  const checked = checkKeyDraft(draft, { now: deps.clock.now(), knownAccounts: accounts?.map(({ accountId }) => accountId) });
  if ("errors" in checked) return await showForm(deps, { ...shown, errors: checked.errors });
  const { allowedAccountIds, expiresAt, ...choices } = checked.choices;
  try {
    const { key, apiKey } = await mintApiKey(deps, {
      ...ref,
      ...choices,
      ...(allowedAccountIds === undefined ? {} : { allowedAccountIds }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      // The same form with other content is another key, as when somebody goes back and changes the label.
      idempotencyKey: sha256Hex(JSON.stringify([connection.id, draft])),
    });
    journal.note("apikey.created", apiKey, factsOf(form));
    const path = createdPath(apiKey.id);
    c.header("Set-Cookie", reveal.cookieFor({ userId: user.userId, path }, key));
    return c.redirect(path, 303);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return await showForm(deps, { ...shown, refusal: `${error.message} ${error.whatToDo}` });
  }
}

async function showCreated(deps: KeyHandlersDeps, reveal: KeyReveal, page: OwnPage): Promise<Response> {
  const found = await findOwnKey(deps, page);
  if (found === undefined) return nothingHere(deps, page);
  const { c, user } = page;
  const place = { userId: user.userId, path: createdPath(found.apiKey.id) };
  const secret = reveal.read(place, c.req.header("cookie"));
  return deps.pages.page(
    { ...consoleFrame(texts.created.title, "keys", user), width: "narrow", back: BACK },
    <CreatedKeyPage {...found} secret={secret} publicUrl={deps.publicUrl()} now={deps.clock.now()} />,
    secret === undefined ? {} : { headers: { "Set-Cookie": reveal.clearedCookie(place) } },
  );
}

async function showRevocation(deps: KeyHandlersDeps, page: OwnPage): Promise<Response> {
  const found = await findOwnKey(deps, page);
  if (found === undefined) return nothingHere(deps, page);
  if (found.apiKey.revokedAt !== undefined) return page.c.redirect(`${PATH}?said=already`, 303);
  const { user } = page;
  return deps.pages.page(
    { ...consoleFrame(texts.revocation.title, "keys", user), width: "narrow", back: BACK, lead: texts.revocation.lead },
    <form method="post" action={`${PATH}/${found.apiKey.id}/revoke`}>
      <FormToken token={user.formToken} />
      <Card>
        <KeyFacts {...found} now={deps.clock.now()} />
      </Card>
      <ButtonRow>
        <Button kind="danger">{texts.revocation.submit}</Button>
        <LinkButton href={PATH}>{texts.revocation.cancel}</LinkButton>
      </ButtonRow>
    </form>,
  );
}

async function revoke(deps: KeyHandlersDeps, journal: KeyJournal, form: OwnForm): Promise<Response> {
  const found = await findOwnKey(deps, form);
  if (found === undefined) return nothingHere(deps, form);
  const { apiKey } = found;
  const revoked = await revokeApiKey(deps, { keyId: apiKey.id, userId: form.user.userId });
  if (revoked) journal.note("apikey.revoked", apiKey, factsOf(form));
  const left = await leavingQuery(deps.storage, form.user.userId, { callerIds: [apiKey.id] });
  return form.c.redirect(`${PATH}?said=${revoked ? "revoked" : "already"}${left}`, 303);
}

async function findOwnKey(deps: KeyHandlersDeps, { c, user }: OwnPage) {
  const keyId = c.req.param("key") ?? "";
  // Whatever stands in the address, only what can be an id is looked for.
  const apiKey = KEY_ID.test(keyId) ? await findApiKey(deps.storage, { keyId, userId: user.userId }) : undefined;
  if (apiKey === undefined) return undefined;
  const connections = await listNamedConnections(deps.storage, user.userId);
  return { apiKey, connection: connections.find(({ id }) => id === apiKey.connectionId) };
}

function createdPath(keyId: string): string {
  return `${PATH}/${keyId}/created`;
}

function connectionQuery(connectionId: string | undefined): string {
  return connectionId === undefined ? "" : `?connection=${encodeURIComponent(connectionId)}`;
}
