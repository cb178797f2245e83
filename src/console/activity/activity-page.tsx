import { Button, ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { DataTable } from "../../pages/components/data-table.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { Field } from "../../pages/components/field.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { SelectField } from "../../pages/components/select-field.tsx";
import { activityTexts as texts } from "../../pages/texts/activity.ts";
import type { AuditPage } from "../../storage/audit-search.ts";
import type { CallerName } from "../../storage/caller-names.ts";
import type { NamedConnection } from "../own-connections.tsx";
import { activityAddress, OUTCOMES, type ReadFilter } from "./activity-filter.ts";
import { CALL_COLUMNS, callCells, type CallNames, rowId } from "./call-row.tsx";

/** Where the list of calls is. */
export const ACTIVITY_PATH = "/console/activity";
/** Id of the part of the page that holds the rows. */
export const ROWS_ID = "calls";
/** Calls on one page. */
export const PAGE_SIZE = 50;

/** Rows that a page keeps while new ones come. */
const MOST_ROWS = 200;

/** What can be chosen in the filter. */
export interface FilterChoices {
  readonly callers: readonly CallerName[];
  readonly connections: readonly NamedConnection[];
  readonly tools: readonly string[];
}

export interface ActivityPageProps {
  readonly read: ReadFilter;
  readonly choices: FilterChoices;
  /** Undefined when the filter is wrong. */
  readonly page: AuditPage | undefined;
  readonly names: CallNames;
  readonly now: number;
  /** True for the page that begins with the newest call. */
  readonly isNewest: boolean;
  /** Where new calls are told; undefined on pages that don't change. */
  readonly events: string | undefined;
}

/** The list of calls with its filter and its exports. */
export function ActivityPage(props: ActivityPageProps) {
  const { read, page, events } = props;
  return (
    <>
      <FilterForm {...props} />
      {events !== undefined && (
        <p class="hint" data-live={events}>
          {texts.live}
        </p>
      )}
      {page !== undefined && <Calls {...props} page={page} />}
      {page !== undefined && page.entries.length > 0 && (
        <Card heading={texts.export.heading}>
          <p>{texts.export.lead}</p>
          <ButtonRow>
            <LinkButton href={activityAddress(`${ACTIVITY_PATH}/export.csv`, read.typed)}>{texts.export.csv}</LinkButton>
            <LinkButton href={activityAddress(`${ACTIVITY_PATH}/export.jsonl`, read.typed)}>{texts.export.jsonLines}</LinkButton>
          </ButtonRow>
        </Card>
      )}
    </>
  );
}

function Calls({ read, page, names, now, isNewest }: ActivityPageProps & { readonly page: AuditPage }) {
  const { entries, next } = page;
  const isWhole = entries.length === PAGE_SIZE;
  return (
    <>
      {entries.length === 0 ? (
        <NoCalls read={read} isSearched={next === undefined} />
      ) : (
        <Card label={texts.caption}>
          <DataTable
            caption={texts.caption}
            hidesCaption
            columns={CALL_COLUMNS}
            liveBody={{ id: ROWS_ID, most: MOST_ROWS }}
            rows={entries.map((entry) => callCells(entry, names, now))}
            rowIds={entries.map(rowId)}
          />
        </Card>
      )}
      {(next !== undefined || !isNewest) && (
        <ButtonRow>
          {!isNewest && <LinkButton href={activityAddress(ACTIVITY_PATH, read.typed)}>{texts.newest}</LinkButton>}
          {next !== undefined && (
            <LinkButton href={activityAddress(ACTIVITY_PATH, read.typed, { before: String(next) })}>
              {isWhole ? texts.older : texts.searchOn}
            </LinkButton>
          )}
        </ButtonRow>
      )}
    </>
  );
}

function NoCalls({ read, isSearched }: { readonly read: ReadFilter; readonly isSearched: boolean }) {
  const { empty } = texts;
  if (!isSearched) {
    return (
      <EmptyState title={empty.soFarTitle}>
        <p>{empty.soFarText}</p>
      </EmptyState>
    );
  }
  if (read.isFiltered) {
    return (
      <EmptyState title={empty.filteredTitle}>
        <p>{empty.filteredText}</p>
        <LinkButton href={ACTIVITY_PATH}>{texts.filter.clear}</LinkButton>
      </EmptyState>
    );
  }
  return (
    <EmptyState title={empty.title}>
      <p>{empty.text}</p>
      <ButtonRow>
        <LinkButton href="/console/keys">{empty.keys}</LinkButton>
        <LinkButton href="/console/apps">{empty.apps}</LinkButton>
      </ButtonRow>
    </EmptyState>
  );
}

function FilterForm({ read, choices }: ActivityPageProps) {
  const { typed, errors, isFiltered } = read;
  const { filter } = texts;
  const faults = Object.values(errors);
  return (
    <details class="fold" open={isFiltered}>
      <summary>{filter.heading}</summary>
      {faults.length > 0 && (
        <Notice tone="error" title={filter.summary}>
          <ul>
            {[...new Set(faults)].map((fault) => (
              <li>{fault}</li>
            ))}
          </ul>
        </Notice>
      )}
      <form method="get" action={ACTIVITY_PATH} class="filters">
        <SelectField
          name="caller"
          label={filter.caller}
          chosen={typed.caller}
          options={withChosen(callerOptions(choices.callers), typed.caller)}
        />
        <SelectField
          name="connection"
          label={filter.connection}
          chosen={typed.connection}
          options={withChosen(
            choices.connections.map(({ id, label }) => ({ value: id, label })),
            typed.connection,
          )}
        />
        <SelectField name="tool" label={filter.tool} chosen={typed.tool} options={withChosen(toolOptions(choices.tools), typed.tool)} />
        <SelectField
          name="outcome"
          label={filter.outcome}
          chosen={typed.outcome}
          error={errors.outcome}
          options={withChosen(
            OUTCOMES.map((value) => ({ value, label: texts.outcomes[value] ?? value })),
            typed.outcome,
          )}
        />
        <Field name="code" label={filter.code} value={typed.code} />
        <Field name="from" type="datetime-local" label={filter.from} value={localTime(typed.from)} error={errors.from} />
        <Field name="until" type="datetime-local" label={filter.until} value={localTime(typed.until)} error={errors.until} />
        <ButtonRow>
          <Button kind="secondary">{filter.submit}</Button>
          {isFiltered && <LinkButton href={ACTIVITY_PATH}>{filter.clear}</LinkButton>}
        </ButtonRow>
      </form>
    </details>
  );
}

interface Option {
  readonly value: string;
  readonly label: string;
}

/** What is chosen stands in the list even when it is nothing that could be offered, such as a deleted key. */
function withChosen(options: readonly Option[], chosen: string): readonly Option[] {
  const isOffered = chosen === "" || options.some(({ value }) => value === chosen);
  return [{ value: "", label: texts.filter.any }, ...options, ...(isOffered ? [] : [{ value: chosen, label: chosen }])];
}

function callerOptions(callers: readonly CallerName[]): readonly Option[] {
  return callers.map(({ id, source, name, isRevoked }) => ({
    value: id,
    label: `${source === "oauth" ? texts.filter.apps : texts.filter.keys}: ${name}${isRevoked ? ` (${texts.filter.revoked})` : ""}`,
  }));
}

function toolOptions(tools: readonly string[]): readonly Option[] {
  const decisions = Object.entries(texts.decisions).map(([value, label]) => ({ value, label }));
  return [...tools.map((name) => ({ value: name, label: name })), ...decisions];
}

/** A day alone as the field for date and time takes it. */
function localTime(typed: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(typed) ? `${typed}T00:00` : typed;
}
