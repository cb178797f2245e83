import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { attemptsOf, moveOrderAttempt } from "../storage/order-attempts.ts";
import { moveOrderRequest, type OrderRequestRow, ownersOfRequests, requestsOwnedBy } from "../storage/order-requests.ts";
import { endOrderSendsOf } from "../storage/order-sends.ts";
import type { Processes } from "../storage/processes.ts";
import type { Storage } from "../storage/storage.ts";
import type { AttemptState, RequestState } from "./order-states.ts";
import type { Running } from "./pipeline.ts";
import type { SendEnd } from "./order-ends.ts";

export interface BurialDeps {
  readonly storage: Storage;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly log: Log;
  readonly running: Running;
}

/** What a living process is at work on. */
const AT_WORK = ["received", "sending"] as const satisfies readonly RequestState[];
/** Requests closed in one round; more are closed in the next. */
const MAX_ROWS = 500;

/**
 * Closes what dead processes left, before any guard is asked: what they only received was never sent, what they were
 * sending may be at IBKR. A wrong "dead" costs an unknown outcome, never an order.
 */
export class Burial {
  readonly #deps: BurialDeps;

  constructor(deps: BurialDeps) {
    this.#deps = deps;
  }

  async run(): Promise<void> {
    const { storage, processes } = this.#deps;
    const owners = await ownersOfRequests(storage.db, AT_WORK);
    if (owners.length === 0) return;
    const own = await processes.hold();
    for (const owner of owners) {
      if (owner !== own && (await processes.isAlive(owner))) continue;
      const rows = await requestsOwnedBy(storage.db, { owner, states: AT_WORK, limit: MAX_ROWS });
      for (const row of rows) if (!this.#deps.running.requests.has(row.id)) await this.#close(row);
    }
  }

  async #close(row: OrderRequestRow): Promise<void> {
    const { storage, clock, log } = this.#deps;
    const { user_id: userId, id } = row;
    const at = clock.now();
    const owner = row.owner_process;
    await storage.transaction(async (db) => {
      const result = JSON.stringify({ reason: "process_ended" });
      await moveOrderRequest(db, { userId, id, from: ["received"], to: "not_placed" satisfies RequestState, result, owner, at });
      const isLost = await moveOrderRequest(db, { userId, id, from: ["sending"], to: "unknown" satisfies RequestState, owner, at });
      if (!isLost) return;
      for (const attempt of await attemptsOf(db, userId, id)) {
        const to: AttemptState = "unknown";
        if (!(await moveOrderAttempt(db, { userId, id: attempt.id, from: ["sending"], to, change: { doubt: 1 }, at }))) continue;
        await endOrderSendsOf(db, { userId, attemptId: attempt.id, endedBy: "unknown" satisfies SendEnd, at });
      }
    });
    log.warn({ request: id, state: row.state, owner }, "closed an order of a process that ended");
  }
}
