import type { ConnectedApp, ConnectedApps } from "../../auth/connected-apps.ts";
import type { Clock } from "../../lib/clock.ts";
import { Button, ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import type { PageRequest } from "../../pages/page-env.ts";
import { appTexts as texts } from "../../pages/texts/apps.ts";
import type { Storage } from "../../storage/storage.ts";
import { consoleFrame } from "../console-frame.tsx";
import { type ConsoleVisitDeps, nothingHere, type OwnForm, type OwnPage, ownForm, ownPage } from "../console-visits.ts";
import { leavingNotice, leavingQuery } from "../orders/leaving-orders.tsx";
import { listNamedConnections } from "../own-connections.tsx";
import { AppName } from "./app-name.tsx";
import { AppsPage } from "./apps-page.tsx";

export interface AppHandlersDeps extends ConsoleVisitDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly apps: ConnectedApps;
  /** Days after which an app that isn't used lapses. */
  readonly unusedDays: number;
}

/** Answers `/console/apps` and the pages under it. */
export interface AppHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  /** Asks before one app is cut off. */
  readonly showRevocation: (c: PageRequest) => Promise<Response>;
  readonly revoke: (c: PageRequest) => Promise<Response>;
  /** Asks before all apps are, or those of `?connection=`. */
  readonly showRevocationOfAll: (c: PageRequest) => Promise<Response>;
  readonly revokeAll: (c: PageRequest) => Promise<Response>;
}

const PATH = "/console/apps";
const BACK = { href: PATH, label: texts.title };

/** Makes the handlers. */
export function createAppHandlers(deps: AppHandlersDeps): AppHandlers {
  const onePlace = { page: (c: PageRequest) => `${PATH}/${encodeURIComponent(c.req.param("app") ?? "")}/revoke` };
  return {
    show: ownPage(deps, (page) => showApps(deps, page)),
    showRevocation: ownPage(deps, (page) => showRevocation(deps, page)),
    revoke: ownForm(deps, onePlace, (form) => revoke(deps, form)),
    showRevocationOfAll: ownPage(deps, (page) => showRevocationOfAll(deps, page)),
    revokeAll: ownForm(deps, { page: () => `${PATH}/revoke` }, (form) => revokeAll(deps, form)),
  };
}

async function showApps(deps: AppHandlersDeps, page: OwnPage): Promise<Response> {
  const { c, user } = page;
  const { storage, clock, publicUrl, unusedDays } = deps;
  const apps = await deps.apps.list(user.userId);
  const said = saidOf(c);
  return deps.pages.page(
    {
      ...consoleFrame(texts.title, "apps", user),
      lead: texts.lead,
      actions: apps.length > 1 ? <LinkButton href={`${PATH}/revoke`}>{texts.revokeAll}</LinkButton> : undefined,
    },
    <>
      {said !== undefined && (
        <Notice tone="success">
          <p>{said}</p>
        </Notice>
      )}
      {await leavingNotice(storage, page)}
      <AppsPage
        connections={await listNamedConnections(storage, user.userId)}
        apps={apps}
        publicUrl={publicUrl()}
        now={clock.now()}
        unusedDays={unusedDays}
      />
    </>,
  );
}

function saidOf(c: PageRequest): string | undefined {
  const said = c.req.query("said") ?? "";
  const count = /^all-(\d{1,3})$/.exec(said)?.[1];
  if (count !== undefined) return texts.said.all(Number(count));
  return said === "revoked" || said === "already" ? texts.said[said] : undefined;
}

interface Question {
  readonly title: string;
  readonly submit: string;
  readonly action: string;
  readonly connectionId?: string;
  readonly apps: readonly ConnectedApp[];
}

/** The page that asks before anything is cut off; it says of each app who it is. */
function ask(deps: AppHandlersDeps, { user }: OwnPage, { title, submit, action, connectionId, apps }: Question): Response {
  return deps.pages.page(
    { ...consoleFrame(title, "apps", user), width: "narrow", back: BACK, lead: texts.revocation.lead },
    <form method="post" action={action}>
      <FormToken token={user.formToken} />
      {connectionId !== undefined && <input type="hidden" name="connection" value={connectionId} />}
      <Card>
        <ul class="plain-list">
          {apps.map((app) => (
            <li>
              <AppName app={app} />
            </li>
          ))}
        </ul>
      </Card>
      <ButtonRow>
        <Button kind="danger">{submit}</Button>
        <LinkButton href={PATH}>{texts.revocation.cancel}</LinkButton>
      </ButtonRow>
    </form>,
  );
}

async function showRevocation(deps: AppHandlersDeps, page: OwnPage): Promise<Response> {
  const id = page.c.req.param("app");
  const app = (await deps.apps.list(page.user.userId)).find((candidate) => candidate.id === id);
  if (app === undefined) return nothingHere(deps, page);
  const { one, submitOne } = texts.revocation;
  return ask(deps, page, { title: one, submit: submitOne, action: `${PATH}/${app.id}/revoke`, apps: [app] });
}

async function revoke(deps: AppHandlersDeps, form: OwnForm): Promise<Response> {
  const { c, user } = form;
  const id = c.req.param("app") ?? "";
  // Whatever stands in the address, only what can be an id is looked for.
  if (!/^[\w-]{1,100}$/.test(id)) return nothingHere(deps, form);
  const revoked = await deps.apps.revoke({ userId: user.userId, id }, c.env.facts.requestId);
  const left = await leavingQuery(deps.storage, user.userId, { callerIds: [id] });
  return c.redirect(`${PATH}?said=${revoked ? "revoked" : "already"}${left}`, 303);
}

async function showRevocationOfAll(deps: AppHandlersDeps, page: OwnPage): Promise<Response> {
  const { c, user } = page;
  const wanted = c.req.query("connection");
  const connections = await listNamedConnections(deps.storage, user.userId);
  const connection = connections.find(({ id }) => id === wanted);
  if (wanted !== undefined && connection === undefined) return nothingHere(deps, page);
  const apps = (await deps.apps.list(user.userId)).filter((app) => connection === undefined || app.connectionId === connection.id);
  if (apps.length === 0) return c.redirect(`${PATH}?said=already`, 303);
  return ask(deps, page, {
    title: connection === undefined ? texts.revocation.all : texts.revocation.connection(connection.label),
    submit: texts.revocation.submitAll(apps.length),
    action: `${PATH}/revoke`,
    apps,
    ...(connection === undefined ? {} : { connectionId: connection.id }),
  });
}

async function revokeAll(deps: AppHandlersDeps, form: OwnForm): Promise<Response> {
  const { c, user, fields } = form;
  const connectionId = fields.get("connection") ?? undefined;
  const connections = await listNamedConnections(deps.storage, user.userId);
  if (connectionId !== undefined && !connections.some(({ id }) => id === connectionId)) return nothingHere(deps, form);
  const apps = (await deps.apps.list(user.userId)).filter((app) => connectionId === undefined || app.connectionId === connectionId);
  const count = await deps.apps.revokeAll({ userId: user.userId, connectionId }, c.env.facts.requestId);
  const left = await leavingQuery(deps.storage, user.userId, { callerIds: apps.map(({ id }) => id) });
  return c.redirect(`${PATH}?said=${count === 0 ? "already" : `all-${count}`}${left}`, 303);
}
