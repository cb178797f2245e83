import { renderToString } from "hono/jsx/dom/server";

import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { DataRow } from "../../pages/components/data-table.tsx";
import { LIVE_PAGE } from "../../pages/content-security.ts";
import { lastEventId } from "../../pages/event-stream.ts";
import type { PageRequest } from "../../pages/page-env.ts";
import { activityTexts as texts } from "../../pages/texts/activity.ts";
import { type AuditEntry, findAuditPage, findAuditRequest, latestAuditSequence } from "../../storage/audit-search.ts";
import { listCallerNames } from "../../storage/caller-names.ts";
import type { Storage } from "../../storage/storage.ts";
import { consoleFrame } from "../console-frame.tsx";
import { type ConsoleVisitDeps, nothingHere, type OwnPage, ownPage } from "../console-visits.ts";
import { listNamedConnections } from "../own-connections.tsx";
import { beginOwnStream, ownStream } from "../own-stream.ts";
import { activityExport, type ExportFormat } from "./activity-export.ts";
import { activityAddress, fits, readActivityFilter } from "./activity-filter.ts";
import { ACTIVITY_PATH, ActivityPage, PAGE_SIZE, ROWS_ID } from "./activity-page.tsx";
import type { ActivityWatch } from "./activity-watch.ts";
import { CALL_COLUMNS, callCells, type CallNames, findCallNames, rowId } from "./call-row.tsx";
import { CallPage } from "./call-page.tsx";

export interface ActivityHandlersDeps extends ConsoleVisitDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly watch: ActivityWatch;
  /** Names of the tools, to choose from. */
  readonly tools: readonly string[];
  /** Path of the script that keeps pages current. */
  readonly liveScript: string;
}

/** Answers `/console/activity` and what stands under it. */
export interface ActivityHandlers {
  readonly show: (c: PageRequest) => Promise<Response>;
  readonly showCall: (c: PageRequest) => Promise<Response>;
  readonly events: (c: PageRequest) => Promise<Response>;
  readonly exportCsv: (c: PageRequest) => Promise<Response>;
  readonly exportJsonLines: (c: PageRequest) => Promise<Response>;
}

/** Where no script runs, the newest page loads itself again this often. */
const RELOAD_SECONDS = 60;
/** A larger number is no sequence. */
const SEQUENCE = /^\d{1,15}$/;

/** Makes the handlers. */
export function createActivityHandlers(deps: ActivityHandlersDeps): ActivityHandlers {
  return {
    show: ownPage(deps, (page) => showActivity(deps, page)),
    showCall: ownPage(deps, (page) => showCall(deps, page)),
    events: ownStream(deps, (page) => tellCalls(deps, page)),
    exportCsv: ownPage(deps, async (page) => exportCalls(deps, page, "csv")),
    exportJsonLines: ownPage(deps, async (page) => exportCalls(deps, page, "jsonl")),
  };
}

async function showActivity(deps: ActivityHandlersDeps, { c, user }: OwnPage): Promise<Response> {
  const { storage, clock, tools, liveScript } = deps;
  const { userId } = user;
  const read = readActivityFilter((name) => c.req.query(name));
  const isWrong = Object.keys(read.errors).length > 0;
  const before = sequenceOf(c.req.query("before"));
  // Read before the page: what comes in between is told by the stream, and one row told twice is recognised.
  const after = await latestAuditSequence(storage, userId);
  const page = isWrong ? undefined : await findAuditPage(storage, { userId, filter: read.filter, before, limit: PAGE_SIZE });
  const isLive = page !== undefined && before === undefined && read.filter.until === undefined;
  const events = activityAddress(`${ACTIVITY_PATH}/events`, read.typed, {
    after: String(after),
    ...(page?.entries.length === 0 ? { empty: "yes" } : {}),
  });
  const choices = { callers: await listCallerNames(storage, userId), connections: await listNamedConnections(storage, userId), tools };
  return deps.pages.page(
    {
      ...consoleFrame(texts.title, "activity", user),
      lead: texts.lead,
      ...(isLive ? { scripts: [liveScript], reloadSeconds: RELOAD_SECONDS } : {}),
    },
    <ActivityPage
      read={read}
      choices={choices}
      page={page}
      names={await findCallNames(storage, userId, page?.entries ?? [])}
      now={clock.now()}
      isNewest={before === undefined}
      events={isLive ? events : undefined}
    />,
    { status: isWrong ? 422 : 200, csp: LIVE_PAGE },
  );
}

async function showCall(deps: ActivityHandlersDeps, page: OwnPage): Promise<Response> {
  const { c, user } = page;
  const requestId = c.req.param("request") ?? "";
  // Whatever stands in the address, only what can be an id is looked for.
  const entries = /^req_\w{1,64}$/.test(requestId) ? await findAuditRequest(deps.storage, { userId: user.userId, requestId }) : [];
  const [first] = entries;
  if (first === undefined) return nothingHere(deps, page);
  const isDecision = Object.hasOwn(texts.decisions, first.tool);
  const title = entries.length > 1 ? texts.call.titles(entries.length) : isDecision ? texts.call.decision : texts.call.title;
  return deps.pages.page(
    { ...consoleFrame(title, "activity", user), back: { href: ACTIVITY_PATH, label: texts.title } },
    <CallPage entries={entries} names={await findCallNames(deps.storage, user.userId, entries)} now={deps.clock.now()} />,
  );
}

/** New calls that fit the filter, as rows of the page. */
async function tellCalls(deps: ActivityHandlersDeps, { c, user }: OwnPage): Promise<Response> {
  const { userId } = user;
  const { filter } = readActivityFilter((name) => c.req.query(name));
  const after = sequenceOf(lastEventId(c)) ?? sequenceOf(c.req.query("after")) ?? (await latestAuditSequence(deps.storage, userId));
  const begin = deps.watch.reserve(userId);
  if (begin === undefined) return c.json({ error: "Too many pages are open." }, 429);
  const isEmpty = c.req.query("empty") === "yes";
  return beginOwnStream(c, deps, (stream) => {
    const rowsOf = async (entries: readonly AuditEntry[]) => {
      const fitting = entries.filter((entry) => fits(entry, filter));
      const names = await findCallNames(deps.storage, userId, fitting);
      const now = deps.clock.now();
      return fitting.map((entry) => ({ entry, html: rowHtml(entry, names, now) }));
    };
    return begin({
      after,
      onNew: async (entries) => {
        const rows = await rowsOf(entries);
        if (await stream.isOver()) return;
        if (isEmpty && rows.length > 0) stream.reload();
        for (const { entry, html } of rows) stream.prepend(ROWS_ID, html, String(entry.sequence));
      },
      onEnded: async (entries) => {
        const rows = await rowsOf(entries);
        if (await stream.isOver()) return;
        for (const { entry, html } of rows) stream.replace(rowId(entry), html);
      },
    });
  });
}

function rowHtml(entry: AuditEntry, names: CallNames, now: number): string {
  return renderToString(<DataRow columns={CALL_COLUMNS} cells={callCells(entry, names, now)} id={rowId(entry)} />);
}

function exportCalls({ storage, clock }: ActivityHandlersDeps, { c, user }: OwnPage, format: ExportFormat): Response {
  const { filter } = readActivityFilter((name) => c.req.query(name));
  const day = new Date(clock.now()).toISOString().slice(0, 10);
  return new Response(activityExport(storage, { userId: user.userId, filter, format }), {
    headers: {
      "Content-Type": format === "csv" ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8",
      "Content-Disposition": `attachment; filename="ibkr-gateway-activity-${day}.${format}"`,
      "Cache-Control": "no-store",
    },
  });
}

function sequenceOf(text: string | undefined): number | undefined {
  return text !== undefined && SEQUENCE.test(text) ? Number(text) : undefined;
}
