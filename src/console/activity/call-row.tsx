import type { Child } from "hono/jsx";
import { z } from "zod";

import { Badge, type BadgeTone } from "../../pages/components/badge.tsx";
import type { DataColumn } from "../../pages/components/data-table.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { activityTexts as texts } from "../../pages/texts/activity.ts";
import type { AuditEntry } from "../../storage/audit-search.ts";
import { type CallerName, listCallerNames } from "../../storage/caller-names.ts";
import type { Storage } from "../../storage/storage.ts";
import { ConnectionName, listNamedConnections, type NamedConnection } from "../own-connections.tsx";

/** What the rows of calls name beside themselves. */
export interface CallNames {
  readonly callers: ReadonlyMap<string, CallerName>;
  readonly connections: ReadonlyMap<string, NamedConnection>;
}

/** Finds the names that these calls need, in three queries however many they are. */
export async function findCallNames(storage: Storage, userId: string, entries: readonly AuditEntry[]): Promise<CallNames> {
  const callers = await listCallerNames(storage, userId, [...new Set(entries.map((entry) => entry.caller_id))]);
  const connections = await listNamedConnections(storage, userId);
  return {
    callers: new Map(callers.map((caller) => [caller.id, caller])),
    connections: new Map(connections.map((connection) => [connection.id, connection])),
  };
}

const { columns } = texts;

/** The columns of a list of calls. */
export const CALL_COLUMNS: readonly DataColumn[] = [
  { title: columns.at },
  { title: columns.what },
  { title: columns.outcome },
  { title: columns.caller },
  { title: columns.connection },
  { title: columns.duration, numeric: true },
];

/** The cells of one call, in the order of the columns. */
export function callCells(entry: AuditEntry, names: CallNames, now: number): readonly Child[] {
  return [
    <a href={`/console/activity/${encodeURIComponent(entry.request_id)}`}>
      <RelativeTime at={entry.at} now={now} />
      <span class="visually-hidden">: {entry.tool}</span>
    </a>,
    <>
      <CallTitle entry={entry} />
      {entry.summary !== null && entry.summary !== "" && (
        <span class="hint cell-note">
          <PlainName value={entry.summary} />
        </span>
      )}
    </>,
    <OutcomeBadge entry={entry} />,
    <CallerLabel entry={entry} names={names} />,
    <CallConnection entry={entry} names={names} />,
    entry.duration_us === null || decisionOf(entry) !== undefined ? "" : durationText(entry.duration_us),
  ];
}

/** Names the row of a call in its page. */
export function rowId(entry: Pick<AuditEntry, "sequence">): string {
  return `call-${entry.sequence}`;
}

/** What was decided, in words; undefined for a call. Methods are named by clients, so that only our own names count. */
export function decisionOf({ tool }: Pick<AuditEntry, "tool">): string | undefined {
  return Object.hasOwn(texts.decisions, tool) ? texts.decisions[tool] : undefined;
}

/** What was called or decided. */
export function CallTitle({ entry }: { readonly entry: Pick<AuditEntry, "tool"> }) {
  const decision = decisionOf(entry);
  return decision === undefined ? <code>{entry.tool}</code> : <strong>{decision}</strong>;
}

const TONES: Readonly<Record<string, BadgeTone>> = {
  ok: "good",
  error: "bad",
  cancelled: "neutral",
  input_required: "warn",
  started: "working",
};

/** What came of a call, with its code when it failed. */
export function OutcomeBadge({ entry }: { readonly entry: Pick<AuditEntry, "outcome" | "code"> }) {
  return (
    <>
      <Badge tone={TONES[entry.outcome] ?? "neutral"}>{texts.outcomes[entry.outcome] ?? entry.outcome}</Badge>
      {entry.code !== null && (
        <span class="cell-note">
          <code>{entry.code}</code>
        </span>
      )}
    </>
  );
}

interface CalledBy {
  readonly entry: Pick<AuditEntry, "caller_id" | "source" | "address">;
  readonly names: CallNames;
}

/** True for what a person decided in the console: each sees only their own. */
function isPerson({ source }: Pick<AuditEntry, "source">): boolean {
  return source === "person";
}

/** True for what a key or an app did. */
export function isByCaller({ source }: Pick<AuditEntry, "source">): boolean {
  return source === "apikey" || source === "oauth";
}

/** Which key or app called, by the name that its owner knows; or that it was the owner, and from where. */
export function CallerLabel({ entry, names }: CalledBy) {
  if (isPerson(entry) || entry.source === "gateway") {
    return (
      <>
        {isPerson(entry) ? texts.you : texts.gateway}
        {entry.address !== null && <span class="hint cell-note">{texts.fromAddress(entry.address)}</span>}
      </>
    );
  }
  const caller = names.callers.get(entry.caller_id);
  return (
    <>
      {caller === undefined ? <span class="hint">{texts.unknownCaller}</span> : <PlainName value={caller.name} />}
      <span class="hint cell-note">{entry.source === "oauth" ? texts.app : texts.apiKey}</span>
    </>
  );
}

const namedInRow = z.object({ connection: z.string(), mode: z.enum(["simulated", "paper", "live"]) });

/** Which connection it was, by the name that it has, or had when a decision about it went on record. */
export function CallConnection({ entry, names }: { readonly entry: AuditEntry; readonly names: CallNames }) {
  const connection = names.connections.get(entry.connection_id) ?? nameInRow(entry);
  return (
    <>
      <ConnectionName connection={connection} gone={texts.goneConnection} />
      {connection !== undefined && !names.connections.has(entry.connection_id) && <span class="hint cell-note">{texts.deletedSince}</span>}
    </>
  );
}

/** Only our own decisions name connections; what a caller sent is never taken for one. */
function nameInRow(entry: AuditEntry): NamedConnection | undefined {
  if (isByCaller(entry)) return undefined;
  const { success, data } = namedInRow.safeParse(JSON.parse(entry.arguments));
  return success ? { id: entry.connection_id, label: data.connection, mode: data.mode } : undefined;
}

/** A duration in milliseconds, with a digit after the point for short ones. */
export function durationText(durationUs: number): string {
  const ms = durationUs / 1_000;
  return texts.milliseconds(ms < 10 ? ms.toFixed(1) : String(Math.round(ms)));
}
