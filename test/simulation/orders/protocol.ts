/** What the simulation knows of the code under test: how it is started, what its rows mean, and what its words claim. */
import type { DatabaseSync } from "node:sqlite";

import type { Connections } from "../../../src/connections/connections.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { GatewayError } from "../../../src/lib/errors.ts";
import type { Log } from "../../../src/lib/log.ts";
import type { Random } from "../../../src/lib/random.ts";
import type { Processes } from "../../../src/storage/processes.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { createTrading } from "../../../src/trading/create-trading.ts";
import type { FoundOrder, PlaceOutcome, Trading } from "../../../src/trading/trading.ts";

export interface ProtocolParts {
  readonly storage: Storage;
  readonly processes: Processes;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Starts the order code of a process. */
export function startTrading(parts: ProtocolParts): Trading {
  return createTrading(parts);
}

/** The request and attempt behind a `cOID`, as committed. */
export interface SentRow {
  readonly requestId: string;
  /** Its caller's reason, by which the simulation knows the wish. */
  readonly reason: string;
  /** Who was allowed to send it last. */
  readonly senderId: string;
  /** How often it was allowed to be sent. */
  readonly permissions: number;
  /** True while an order of this attempt may be at IBKR without the gateway knowing. */
  readonly isUnknown: boolean;
  /** True while its exchange runs, or ran in a process that died. */
  readonly isSending: boolean;
}

/** Finds what allowed a `cOID` to be sent; undefined when nothing did. */
export function sentRow(database: DatabaseSync, customerOrderId: string): SentRow | undefined {
  const row = database
    .prepare(
      `select r.id, r.reason, a.state,
         (select s.caller_id from order_sends s where s.attempt_id = a.id order by s.sent_at desc limit 1) as sender_id,
         (select count(*) from order_sends s where s.attempt_id = a.id) as permissions
       from order_attempts a join order_requests r on r.id = a.request_id where a.customer_order_id = ?`,
    )
    .get(customerOrderId);
  if (row === undefined || row["sender_id"] === null) return undefined;
  return {
    requestId: String(row["id"]),
    reason: String(row["reason"]),
    senderId: String(row["sender_id"]),
    permissions: Number(row["permissions"]),
    isUnknown: row["state"] === "unknown",
    isSending: row["state"] === "sending",
  };
}

/** Whether a call of this name has been stored. */
export function isKnown(
  database: DatabaseSync,
  { clientOrderId, callerId }: { readonly clientOrderId: string; readonly callerId: string },
): boolean {
  const query = "select 1 from order_requests where client_order_id = ? and name_space = ?";
  return database.prepare(query).get(clientOrderId, callerId) !== undefined;
}

/** Requests that are neither decided nor with a person, and those that are, as `id: state`. */
export function openRequests(database: DatabaseSync): { readonly undecided: readonly string[]; readonly withPerson: readonly string[] } {
  const rows = database
    .prepare("select client_order_id, state from order_requests where state in ('received', 'sending', 'unknown', 'unresolved')")
    .all()
    .map((row) => ({ name: `${String(row["client_order_id"])}: ${String(row["state"])}`, isUnresolved: row["state"] === "unresolved" }));
  const named = (isUnresolved: boolean) => rows.filter((row) => row.isUnresolved === isUnresolved).map(({ name }) => name);
  return { undecided: named(false), withPerson: named(true) };
}

/** What an outcome claims of the wish: that it is placed, that it isn't, or neither. */
export type Claim = { readonly kind: "placed"; readonly orderId: string } | { readonly kind: "absent" | "open"; readonly code: string };

/** Reads the outcome of a placing call. */
export function claimOf(outcome: PlaceOutcome): Claim {
  if (outcome.kind === "placed") return { kind: "placed", orderId: outcome.orderId };
  return { kind: outcome.kind === "pending" ? "open" : "absent", code: outcome.kind };
}

/** States of a request in which its order is said not to be placed. */
const ABSENT_STATES: ReadonlySet<string> = new Set(["asked", "refused", "declined", "not_placed"]);

/** Reads the outcome of a look-up. */
export function claimOfFound(found: FoundOrder | undefined): Claim {
  if (found === undefined) return { kind: "open", code: "not found" };
  if (found.kind === "order") return { kind: "placed", orderId: found.order.orderId };
  return { kind: ABSENT_STATES.has(found.state) ? "absent" : "open", code: found.state };
}

/** What is claimed of the order itself; "nothing was sent" is said of a call, and an earlier one may have sent it. */
const ABSENT_WORDS = /\bnothing (?:was|is) placed\b/i;

/** Reads what an error claims. */
export function claimOfError(error: unknown): Claim {
  if (!(error instanceof GatewayError)) return { kind: "open", code: "crash" };
  return { kind: ABSENT_WORDS.test(`${error.message} ${error.whatToDo}`) ? "absent" : "open", code: error.code };
}
