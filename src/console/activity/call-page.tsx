import { Card } from "../../pages/components/card.tsx";
import { DescriptionList } from "../../pages/components/description-list.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { ExactTime } from "../../pages/components/relative-time.tsx";
import { activityTexts } from "../../pages/texts/activity.ts";
import { callerTexts } from "../../pages/texts/callers.ts";
import type { AuditEntry } from "../../storage/audit-search.ts";
import { ErrorMeaning } from "../error-meaning.tsx";
import { activityAddress } from "./activity-filter.ts";
import { ACTIVITY_PATH } from "./activity-page.tsx";
import { CallConnection, CallerLabel, type CallNames, CallTitle, decisionOf, durationText, isByCaller, OutcomeBadge } from "./call-row.tsx";

const texts = activityTexts.call;

export interface CallPageProps {
  /** All rows of one request: one, or those of a batch. */
  readonly entries: readonly AuditEntry[];
  readonly names: CallNames;
  readonly now: number;
}

/** One request with everything that is on record about it. */
export function CallPage({ entries, names, now }: CallPageProps) {
  return (
    <>
      {entries.map((entry) => (
        <OneCall entry={entry} names={names} now={now} />
      ))}
    </>
  );
}

function OneCall({ entry, names, now }: { readonly entry: AuditEntry; readonly names: CallNames; readonly now: number }) {
  const decision = decisionOf(entry);
  return (
    <Card label={decision ?? entry.tool}>
      <div class="card-head">
        <h2>
          <CallTitle entry={entry} />
        </h2>
        {decision === undefined && <a href={activityAddress(ACTIVITY_PATH, { tool: entry.tool })}>{texts.similar}</a>}
      </div>
      <Facts entry={entry} names={names} now={now} />
      {entry.summary !== null && entry.summary !== "" && (
        <>
          <h3>{texts.summary}</h3>
          <p class="arguments">{entry.summary}</p>
        </>
      )}
      <h3>{decision === undefined ? texts.arguments : texts.about}</h3>
      {entry.arguments === "{}" ? <p class="hint">{texts.noArguments}</p> : <pre class="arguments">{indented(entry.arguments)}</pre>}
      {decision === undefined && <p class="hint">{texts.argumentsNote}</p>}
    </Card>
  );
}

function Facts({ entry, names, now }: { readonly entry: AuditEntry; readonly names: CallNames; readonly now: number }) {
  const { facts } = texts;
  const isCall = decisionOf(entry) === undefined;
  return (
    <DescriptionList
      rows={[
        { name: facts.at, value: <ExactTime at={entry.at} now={now} /> },
        { name: facts.outcome, value: <OutcomeBadge entry={entry} /> },
        ...(entry.code === null ? [] : [{ name: facts.means, value: <ErrorMeaning code={entry.code} /> }]),
        ...(entry.outcome === "started" ? [{ name: facts.means, value: texts.unfinished }] : []),
        {
          name: facts.caller,
          value: isByCaller(entry) ? (
            <a href={activityAddress(ACTIVITY_PATH, { caller: entry.caller_id })}>
              <CallerLabel entry={entry} names={names} />
            </a>
          ) : (
            <CallerLabel entry={entry} names={names} />
          ),
        },
        {
          name: facts.connection,
          value: <CallConnection entry={entry} names={names} />,
        },
        ...(isByCaller(entry)
          ? [{ name: facts.scope, value: entry.scope === "write" ? callerTexts.scopes.write : callerTexts.scopes.read }]
          : []),
        ...(isCall && entry.duration_us !== null ? [{ name: facts.duration, value: durationText(entry.duration_us) }] : []),
        ...(isCall && entry.upstream_calls !== null ? [{ name: facts.upstreamCalls, value: String(entry.upstream_calls) }] : []),
        { name: facts.client, value: entry.client === null ? texts.unknown : <PlainName value={entry.client} /> },
        { name: facts.address, value: entry.address ?? texts.unknown },
        { name: facts.requestId, value: <code>{entry.request_id}</code> },
      ]}
    />
  );
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
