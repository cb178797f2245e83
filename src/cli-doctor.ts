import { parseArgs } from "node:util";

import { pino } from "pino";

import { type AppDeps, connectionsOf, openBase, type Opened } from "./app.ts";
import { createConnectionJournal } from "./auth/connection-journal.ts";
import { allConnections } from "./cli-key.ts";
import { loadConfig } from "./config.ts";
import { createUserBudgets } from "./ibkr/user-budgets.ts";
import { systemClock } from "./lib/clock.ts";
import { systemRandom } from "./lib/random.ts";
import { createAuditLog } from "./storage/audit-writer.ts";
import type { ConnectionRow } from "./storage/connections.ts";
import type { ProcessFace } from "./main.ts";
import { type DoctorResult, resumeTime, runDoctor } from "./trading/doctor.ts";
import { type DoctorCase, type DoctorFinding, type DoctorReply, type DoctorReport, verdictOf } from "./trading/doctor-findings.ts";

const USAGE = "usage: ibkr-gateway doctor --paper CONNECTION [--resume] [--json]";

/**
 * Runs `doctor --paper CONNECTION`: places far limit orders on a paper or simulated connection and prints what IBKR does with a
 * `cOID` that was used before. Rejects with one line when it can't start, failed, or left an order.
 */
export async function doctorCommand({ environment, print }: ProcessFace, args: readonly string[]): Promise<void> {
  const { paper: connectionId, resume, json } = readArguments(args);
  const deps: AppDeps = { clock: systemClock, random: systemRandom, log: pino({ level: "silent" }), fetch: globalThis.fetch };
  const closers: (() => void | Promise<void>)[] = [];
  const opened: Opened = (part) => {
    closers.push(() => part.close());
    return part;
  };
  const stop = stopBySignal();
  try {
    const base = await openBase(loadConfig(environment), deps, opened);
    const connection = choose(await allConnections(base.storage), connectionId);
    const audit = opened(createAuditLog({ ...deps, storage: base.storage }));
    const journal = createConnectionJournal({ ...deps, audit });
    const connections = opened(connectionsOf(base, deps, { journal, budgets: createUserBudgets(deps) }));
    const onCase = (name: DoctorCase): void => {
      if (!json) print(`${CASES[name]} …`);
    };
    const result = await runDoctor({ ...deps, ...base, audit, connections }, { connection, isResume: resume, stop: stop.signal, onCase });
    if (json) print(JSON.stringify({ ...result.report, verdict: verdictOf(result.report.findings) }, undefined, 2));
    else for (const line of reportLines(result.report, connection.id)) print(line);
    refuseUnclean(result);
  } finally {
    for (const close of closers.toReversed()) await close();
    stop.end();
  }
}

function readArguments(args: readonly string[]): { readonly paper: string; readonly resume: boolean; readonly json: boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        paper: { type: "string" },
        resume: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    if (values.paper !== undefined) return { ...values, paper: values.paper };
  } catch (cause) {
    throw new Error(USAGE, { cause });
  }
  throw new Error(USAGE);
}

function choose(connections: readonly ConnectionRow[], id: string): ConnectionRow {
  const chosen = connections.find((connection) => connection.id === id);
  if (chosen !== undefined) return chosen;
  const known = connections.map((connection) => `${connection.id} (${connection.label}, ${connection.mode})`).join(", ");
  throw new Error(`there is no connection ${id}. ${known === "" ? "Start the gateway once to create one" : `Known: ${known}`}`);
}

/** Aborts on the first SIGINT or SIGTERM. A second one ends the process as usual. */
function stopBySignal(): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  const names = ["SIGINT", "SIGTERM"] as const;
  const abort = (): void => {
    end();
    controller.abort(new Error("Stopped."));
  };
  const end = (): void => {
    for (const name of names) process.removeListener(name, abort);
  };
  for (const name of names) process.once(name, abort);
  return { signal: controller.signal, end };
}

function refuseUnclean({ report, failure }: DoctorResult): void {
  if (failure !== undefined) throw failure;
  if (report.left.length > 0) throw new Error("not everything could be cleaned up. See above");
}

const CASES: Readonly<Record<DoctorCase, string>> = {
  working: "cOID again while the order works",
  cancelled: "cOID again after the cancellation",
  refused: "cOID again after a refusal",
  declined: "cOID again after a declined question",
  unanswered: "cOID again after an unanswered question (waits 2 minutes)",
  next_day: "cOID again 25 hours later",
};

const KINDS: Readonly<Record<DoctorReply["kind"], string>> = {
  accepted: "taken",
  open: "asked, left open",
  declined: "asked, declined",
  refused: "refused",
  registered: "refused as known",
  unknown: "unclear",
};

/** Longest text of IBKR's in the table; `--json` has all of it. */
const MAX_WORDS = 90;

function reportLines(report: DoctorReport, connectionId: string): readonly string[] {
  const { refusesDuplicates, declinedRegistersNothing } = verdictOf(report.findings);
  const cells = report.findings.map(cellsOf);
  const width = Math.max(...cells.map(([name]) => name.length), 0);
  return [
    "",
    ...cells.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
    "",
    refusesDuplicates
      ? "A repeated cOID was refused while its order worked and after its cancellation. The mark is based on this."
      : "Not proven that a repeated cOID is refused. The connection has no mark: unknown orders are not sent again.",
    declinedRegistersNothing
      ? "A declined question left its cOID free. Confirmed orders keep their cOID."
      : "Not proven that a declined question leaves its cOID free. Confirmed orders take another cOID.",
    ...(report.findings.some(({ case: name, first }) => name === "unanswered" && first?.kind === "open")
      ? ["The unanswered question can still become an order for 30 minutes. Check the account's orders in IBKR's app then."]
      : []),
    ...report.left,
    ...resumeLines(report, connectionId),
  ];
}

function cellsOf({ case: name, first, again, orders, skipped }: DoctorFinding): readonly [string, string] {
  const replies = [first, again].flatMap((reply) => (reply === undefined ? [] : [`${KINDS[reply.kind]} (${shortened(reply.said)})`]));
  const counted = orders > 1 ? [`${orders} orders under this cOID`] : [];
  return [
    CASES[name].replace(" (waits 2 minutes)", ""),
    [...replies, ...counted, ...(skipped === undefined ? [] : [`not seen: ${skipped}`])].join(" → "),
  ];
}

function shortened(words: string): string {
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS - 1)}…` : words;
}

function resumeLines({ sentBrokerAt, findings }: DoctorReport, connectionId: string): readonly string[] {
  const isOpen = sentBrokerAt !== null && !findings.some(({ case: name }) => name === "next_day");
  return isOpen ? [`From ${resumeTime(sentBrokerAt)} on: ibkr-gateway doctor --paper ${connectionId} --resume`] : [];
}
