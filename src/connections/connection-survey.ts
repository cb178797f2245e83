import type { Account, Mode } from "../broker/account.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { type ConnectionRow, listConnections } from "../storage/connections.ts";
import type { Storage } from "../storage/storage.ts";
import { parseMode } from "./connection-mode.ts";
import type { Connections } from "./connections.ts";

/** A person's connection, and what could be learnt about it in a moment. */
export interface SurveyedConnection {
  readonly connectionId: string;
  readonly label: string;
  readonly mode: Mode;
  readonly health: "ready" | "failing" | "unknown";
  /** Its accounts; undefined when they could not be listed. */
  readonly accounts: readonly Account[] | undefined;
  /** Why it is failing, and what to do. */
  readonly problem: { readonly message: string; readonly whatToDo: string } | undefined;
}

export interface SurveyDeps {
  readonly storage: Storage;
  readonly connections: Pick<Connections, "open">;
  readonly clock: Clock;
  /** False where the demo may not be: its connection opens nothing, so that it is not offered. */
  readonly servesDemo: boolean;
}

/** How long a page waits for connections: opening a session takes under a second when all is well. */
const WAIT_MS = 3_000;
/** More are shown without having been asked: each may be a session to open. */
const MAX_ASKED = 8;

/** Lists a user's connections, oldest first, and asks the first of them for their accounts, all at once and for a short time. */
export async function surveyConnections(deps: SurveyDeps, userId: string): Promise<readonly SurveyedConnection[]> {
  const rows = (await listConnections(deps.storage, userId)).filter((row) => deps.servesDemo || row.is_demo === 0);
  const late = new AbortController();
  const enough = new AbortController();
  const timer = deps.clock.wait(WAIT_MS, enough.signal).then(
    () => late.abort(new Error("the page waits no longer")),
    () => undefined,
  );
  try {
    return await Promise.all(
      rows.map((row, index) => (index < MAX_ASKED ? surveyOne(deps, row, late.signal) : Promise.resolve(unknown(row)))),
    );
  } finally {
    enough.abort();
    await timer;
  }
}

async function surveyOne({ connections }: SurveyDeps, row: ConnectionRow, signal: AbortSignal): Promise<SurveyedConnection> {
  const about = described(row);
  try {
    const { broker } = await connections.open({ connectionId: row.id, userId: row.user_id }, signal);
    return { ...about, health: "ready", accounts: await broker.accounts({ signal, caller: `survey:${row.id}` }), problem: undefined };
  } catch (error) {
    if (signal.aborted) return unknown(row);
    if (!(error instanceof GatewayError)) throw error;
    return { ...about, health: "failing", accounts: undefined, problem: { message: error.message, whatToDo: error.whatToDo } };
  }
}

function unknown(row: ConnectionRow): SurveyedConnection {
  return { ...described(row), health: "unknown", accounts: undefined, problem: undefined };
}

function described(row: ConnectionRow): Pick<SurveyedConnection, "connectionId" | "label" | "mode"> {
  return { connectionId: row.id, label: row.label, mode: parseMode(row.mode) };
}
