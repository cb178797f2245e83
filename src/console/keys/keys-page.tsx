import type { Child } from "hono/jsx";

import type { ApiKey } from "../../auth/api-keys.ts";
import { Badge } from "../../pages/components/badge.tsx";
import { LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { DataTable } from "../../pages/components/data-table.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { callerTexts } from "../../pages/texts/callers.ts";
import { keyTexts as texts } from "../../pages/texts/keys.ts";
import { LastUse } from "../last-use.tsx";
import { ConnectionName, type NamedConnection } from "../own-connections.tsx";

export interface KeysPageProps {
  readonly connections: readonly NamedConnection[];
  readonly keys: readonly ApiKey[];
  readonly now: number;
}

/** All keys of a person, by connection: those that work, and folded away those that don't any more. */
export function KeysPage({ connections, keys, now }: KeysPageProps) {
  if (connections.length === 0) {
    return (
      <EmptyState title={texts.noConnections.title}>
        <p>{texts.noConnections.text}</p>
        <LinkButton kind="primary" href="/console/connections/new">
          {texts.noConnections.add}
        </LinkButton>
      </EmptyState>
    );
  }
  return (
    <>
      {connections.map((connection) => (
        <ConnectionKeys connection={connection} keys={keys.filter((key) => key.connectionId === connection.id)} now={now} />
      ))}
    </>
  );
}

function ConnectionKeys({
  connection,
  keys,
  now,
}: {
  readonly connection: NamedConnection;
  readonly keys: readonly ApiKey[];
  readonly now: number;
}) {
  const working = keys.filter((key) => stateOf(key, now) === "working");
  const over = keys.filter((key) => stateOf(key, now) !== "working");
  return (
    <Card label={texts.caption(connection.label)}>
      <div class="card-head">
        <h2>
          <ConnectionName connection={connection} gone="" />
        </h2>
        <LinkButton href={`/console/keys/new?connection=${connection.id}`}>
          {texts.create}
          <span class="visually-hidden">: {connection.label}</span>
        </LinkButton>
      </div>
      {working.length === 0 ? (
        <p class="hint">{texts.empty}</p>
      ) : (
        <KeyTable keys={working} caption={texts.caption(connection.label)} now={now} />
      )}
      {over.length > 0 && (
        <details class="fold">
          <summary>{texts.over(over.length)}</summary>
          <KeyTable keys={over} caption={texts.overCaption(connection.label)} now={now} />
        </details>
      )}
    </Card>
  );
}

function KeyTable({ keys, caption, now }: { readonly keys: readonly ApiKey[]; readonly caption: string; readonly now: number }) {
  const { columns } = texts;
  const titles = [columns.key, columns.scope, columns.accounts, columns.created, columns.expires, columns.lastUsed, columns.action];
  return (
    <DataTable caption={caption} hidesCaption columns={titles.map((title) => ({ title }))} rows={keys.map((key) => cellsOf(key, now))} />
  );
}

function cellsOf(key: ApiKey, now: number): readonly Child[] {
  return [
    <>
      <strong>
        <PlainName value={key.label} />
      </strong>
      <br />
      <code>{key.prefix}…</code>
    </>,
    callerTexts.scopes[key.scope],
    key.allowedAccountIds === undefined ? callerTexts.allAccounts : key.allowedAccountIds.join(", "),
    <RelativeTime at={key.createdAt} now={now} />,
    key.expiresAt === undefined ? callerTexts.never : <RelativeTime at={key.expiresAt} now={now} />,
    <LastUse use={key.lastUsed} now={now} />,
    <KeyActions apiKey={key} now={now} />,
  ];
}

function KeyActions({ apiKey, now }: { readonly apiKey: ApiKey; readonly now: number }) {
  const state = stateOf(apiKey, now);
  const calls = (
    <a href={`/console/activity?caller=${apiKey.id}`}>
      {texts.calls}
      <span class="visually-hidden">: {apiKey.label}</span>
    </a>
  );
  if (state === "revoked") {
    return (
      <span class="row-actions">
        <Badge tone="bad">{texts.revoked}</Badge> {calls}
      </span>
    );
  }
  return (
    <span class="row-actions">
      {state === "expired" && <Badge tone="neutral">{texts.expired}</Badge>} {calls}{" "}
      <a href={`/console/keys/${apiKey.id}/revoke`}>
        {texts.revoke}
        <span class="visually-hidden">: {apiKey.label}</span>
      </a>
    </span>
  );
}

/** Whether a key still opens anything. */
export function stateOf(key: Pick<ApiKey, "revokedAt" | "expiresAt">, now: number): "working" | "expired" | "revoked" {
  if (key.revokedAt !== undefined) return "revoked";
  return key.expiresAt !== undefined && key.expiresAt <= now ? "expired" : "working";
}
