import type { Child } from "hono/jsx";

import type { ConnectedApp } from "../../auth/connected-apps.ts";
import { LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { Copyable } from "../../pages/components/copyable.tsx";
import { DataTable } from "../../pages/components/data-table.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { appTexts as texts } from "../../pages/texts/apps.ts";
import { callerTexts } from "../../pages/texts/callers.ts";
import { LastUse } from "../last-use.tsx";
import { ConnectionName, type NamedConnection } from "../own-connections.tsx";
import { AppName } from "./app-name.tsx";

export interface AppsPageProps {
  readonly connections: readonly NamedConnection[];
  readonly apps: readonly ConnectedApp[];
  readonly publicUrl: string;
  readonly now: number;
  /** Days after which an app that isn't used lapses. */
  readonly unusedDays: number;
}

/** All apps that a person let in, by connection. */
export function AppsPage(props: AppsPageProps) {
  const { connections, apps, publicUrl } = props;
  if (apps.length === 0) {
    return (
      <EmptyState title={texts.empty.title}>
        <p>{texts.empty.text}</p>
        <Copyable id="mcp-url" label={texts.empty.url} text={`${publicUrl}/mcp`} />
        <p>
          <a href="/help/mcp">{texts.empty.help}</a>
        </p>
      </EmptyState>
    );
  }
  const used = connections.filter(({ id }) => apps.some((app) => app.connectionId === id));
  return (
    <>
      {used.map((connection) => (
        <ConnectionApps {...props} connection={connection} apps={apps.filter((app) => app.connectionId === connection.id)} />
      ))}
    </>
  );
}

function ConnectionApps({ connection, apps, now, unusedDays }: AppsPageProps & { readonly connection: NamedConnection }) {
  const { columns } = texts;
  const titles = [columns.app, columns.scope, columns.accounts, columns.authorized, columns.lastUsed, columns.expires, columns.action];
  return (
    <Card label={texts.caption(connection.label)}>
      <div class="card-head">
        <h2>
          <ConnectionName connection={connection} gone="" />
        </h2>
        {apps.length > 1 && (
          <LinkButton href={`/console/apps/revoke?connection=${connection.id}`}>
            {texts.revokeConnection}
            <span class="visually-hidden">: {connection.label}</span>
          </LinkButton>
        )}
      </div>
      <DataTable
        caption={texts.caption(connection.label)}
        hidesCaption
        columns={titles.map((title) => ({ title }))}
        rows={apps.map((app) => cellsOf(app, now, unusedDays))}
      />
    </Card>
  );
}

function cellsOf(app: ConnectedApp, now: number, unusedDays: number): readonly Child[] {
  return [
    <AppName app={app} />,
    <>
      {callerTexts.scopes[app.scope]}
      {app.toolsets.length > 0 && (
        <span class="hint cell-note">
          {texts.toolsets}: {app.toolsets.join(", ")}
        </span>
      )}
    </>,
    app.allowedAccountIds?.join(", ") ?? callerTexts.allAccounts,
    <RelativeTime at={app.authorizedAt} now={now} />,
    <LastUse use={app.lastUsed} now={now} />,
    app.expiresAt === undefined ? texts.unusedExpiry(unusedDays) : <RelativeTime at={app.expiresAt} now={now} />,
    <span class="row-actions">
      <a href={`/console/activity?caller=${app.id}`}>
        {texts.calls}
        <span class="visually-hidden">: {app.name}</span>
      </a>{" "}
      <a href={`/console/apps/${app.id}/revoke`}>
        {texts.revoke}
        <span class="visually-hidden">: {app.name}</span>
      </a>
    </span>,
  ];
}
