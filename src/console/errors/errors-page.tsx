import type { Child } from "hono/jsx";

import { Card } from "../../pages/components/card.tsx";
import { DataTable } from "../../pages/components/data-table.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { activityTexts } from "../../pages/texts/activity.ts";
import { errorListTexts as texts } from "../../pages/texts/error-list.ts";
import type { AuditFailures } from "../../storage/audit-failures.ts";
import { activityAddress } from "../activity/activity-filter.ts";
import { ACTIVITY_PATH } from "../activity/activity-page.tsx";
import { ErrorMeaning } from "../error-meaning.tsx";
import { ConnectionName, type NamedConnection } from "../own-connections.tsx";

export interface ErrorsPageProps {
  readonly failures: readonly AuditFailures[];
  readonly connections: readonly NamedConnection[];
  readonly days: number;
  /** Since when, as the list of calls takes it. */
  readonly from: string;
  readonly now: number;
}

/** What failed of late, the same failures together, with what each means. */
export function ErrorsPage({ failures, connections, days, from, now }: ErrorsPageProps) {
  if (failures.length === 0) {
    return (
      <EmptyState title={texts.empty.title}>
        <p>{texts.empty.text(days)}</p>
      </EmptyState>
    );
  }
  const { columns } = texts;
  return (
    <Card label={texts.caption}>
      <DataTable
        caption={texts.caption}
        hidesCaption
        columns={[
          { title: columns.what },
          { title: columns.means },
          { title: columns.connection },
          { title: columns.count, numeric: true },
          { title: columns.first },
          { title: columns.last },
        ]}
        rows={failures.map((group) => cellsOf(group, { connections, from, now }))}
      />
      <p>
        <a href="/help/errors">{texts.help}</a>
      </p>
    </Card>
  );
}

function cellsOf(
  group: AuditFailures,
  { connections, from, now }: { readonly connections: readonly NamedConnection[]; readonly from: string; readonly now: number },
): readonly Child[] {
  const { code, tool, connectionId } = group;
  const calls = activityAddress(ACTIVITY_PATH, { outcome: "error", code: code ?? "", tool, connection: connectionId, from });
  return [
    <>
      <code>{code ?? texts.noCode}</code>
      <span class="cell-note">
        <code>{tool}</code>
      </span>
    </>,
    <>
      <ErrorMeaning code={code ?? ""} />
      {group.lastSummary !== null && group.lastSummary !== "" && (
        <span class="hint cell-note">
          <PlainName value={group.lastSummary} />
        </span>
      )}
    </>,
    <ConnectionName connection={connections.find(({ id }) => id === connectionId)} gone={activityTexts.goneConnection} />,
    <a href={calls}>
      {group.count}
      <span class="visually-hidden"> {texts.calls}</span>
    </a>,
    <RelativeTime at={group.firstAt} now={now} />,
    <a href={`${ACTIVITY_PATH}/${encodeURIComponent(group.lastRequestId)}`}>
      <RelativeTime at={group.lastAt} now={now} />
    </a>,
  ];
}
