import type { Kysely } from "kysely";

import type { Mode } from "../broker/account.ts";
import type { Clock } from "../lib/clock.ts";
import { type Random, randomId } from "../lib/random.ts";
import { sha256Hex } from "../lib/secret.ts";
import type { ConnectionKey } from "../storage/connections.ts";
import type { Database } from "../storage/database.ts";
import { attemptInTurn, findOrderAttempt, insertOrderAttempt, moveOrderAttempt } from "../storage/order-attempts.ts";
import { holdTradingSwitch, lockAccountOrders } from "../storage/order-permission.ts";
import { hasRequestIn, insertOrderRequest, moveOrderRequest } from "../storage/order-requests.ts";
import { endOrderSend, insertOrderSend } from "../storage/order-sends.ts";
import type { Processes } from "../storage/processes.ts";
import type { Storage } from "../storage/storage.ts";
import type { Allowed } from "./departure.ts";
import { DoctorRefusal, refuseRealMoney } from "./doctor-refusal.ts";
import { draftFields, type OrderDraft } from "./order-draft.ts";
import type { SendEnd } from "./order-ends.ts";
import type { AttemptState, RequestState } from "./order-states.ts";
import { refuseSwitchedOff } from "./permission.ts";

export interface DoctorTurnDeps {
  readonly storage: Storage;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
}

/** One run of the doctor, as its rows name it. */
export interface DoctorRun extends ConnectionKey {
  /** Starts with `gwdoc`, as every `cOID` of the run. */
  readonly run: string;
  readonly draft: OrderDraft;
  /** The mode that the broker proved. */
  readonly provenMode: Mode;
}

/** Requests of a connection that have no end yet. */
const OPEN = ["received", "sending", "unknown", "unresolved"] as const satisfies readonly RequestState[];

/**
 * The account's turn, which the doctor holds for its whole run: no order of the gateway leaves in between. Its request and attempt
 * carry an id that is never sent, so a run that dies is never found at IBKR and a user has to look.
 */
export class DoctorTurn {
  readonly #deps: DoctorTurnDeps;
  readonly #run: DoctorRun;
  readonly #requestId: string;
  readonly #attemptId: string;

  constructor(deps: DoctorTurnDeps, run: DoctorRun) {
    this.#deps = deps;
    this.#run = run;
    this.#requestId = randomId(deps.random, "ord_");
    this.#attemptId = randomId(deps.random, "att_");
  }

  /** Takes the turn. Throws `DoctorRefusal` while another order is open, and what keeps orders of the connection back. */
  async take(brokerAt: number | undefined): Promise<void> {
    const { storage, processes, clock } = this.#deps;
    const { userId, connectionId, draft } = this.#run;
    const processId = await processes.hold();
    await storage.transaction(async (db) => {
      await lockAccountOrders(db, storage.dialect, { connectionId, accountId: draft.accountId });
      await this.#holdSwitches(db);
      const inTurn = await attemptInTurn(db, { connectionId, accountId: draft.accountId });
      if (inTurn !== undefined || (await hasRequestIn(db, { userId, connectionId, states: OPEN })))
        throw new DoctorRefusal(
          "An order of this connection is on its way or has an unknown outcome. Nothing was sent. Resolve it in the console first.",
        );
      await this.#insert(db, { processId, brokerAt: brokerAt ?? null, at: clock.now() });
    });
  }

  /** Allows one sending of a `cOID`, in one transaction. Throws what keeps it back. */
  async permit(customerOrderId: string, brokerAt: number | undefined): Promise<Allowed<string>> {
    const { storage, processes, clock, random } = this.#deps;
    const { userId, connectionId, run } = this.#run;
    const processId = await processes.hold();
    return await storage.transaction(async (db) => {
      const mode = await this.#holdSwitches(db);
      const attempt = await findOrderAttempt(db, userId, this.#attemptId);
      if (attempt?.state !== ("sending" satisfies AttemptState))
        throw new DoctorRefusal("Another process has ended the turn of this run. Start it again.");
      const id = randomId(random, "snd_");
      await insertOrderSend(db, {
        id,
        attempt_id: this.#attemptId,
        user_id: userId,
        connection_id: connectionId,
        caller_id: run,
        source: "doctor",
        permission: JSON.stringify({ customer_order_id: customerOrderId, mode }),
        process_id: processId,
        sent_at: clock.now(),
        broker_at: brokerAt ?? null,
        ended_at: null,
        ended_by: null,
      });
      return { value: id, at: clock.monotonic() };
    });
  }

  /** Checks the switches again for a yes to a question, which makes an order live as its sending does. */
  async permitYes(): Promise<Allowed<undefined>> {
    const { storage, clock } = this.#deps;
    return await storage.transaction(async (db) => {
      await this.#holdSwitches(db);
      return { value: undefined, at: clock.monotonic() };
    });
  }

  /** Writes how a sending ended. */
  async ended(sendId: string, endedBy: SendEnd): Promise<void> {
    const { storage, clock } = this.#deps;
    await endOrderSend(storage.db, { userId: this.#run.userId, id: sendId, endedBy, at: clock.now() });
  }

  /** Gives the turn back. `isClean` false leaves an order of unknown outcome, about which a user decides. */
  async giveBack({ orderId, isClean }: { readonly orderId: string | undefined; readonly isClean: boolean }): Promise<void> {
    const { storage, clock } = this.#deps;
    const { userId } = this.#run;
    const at = clock.now();
    const end = turnEnd(orderId, isClean);
    await storage.transaction(async (db) => {
      await moveOrderAttempt(db, { userId, id: this.#attemptId, from: ["sending"], to: end.attempt, change: end.change, at });
      await moveOrderRequest(db, { userId, id: this.#requestId, from: ["sending"], to: end.request, result: end.result, at });
    });
  }

  async #holdSwitches(db: Kysely<Database>): Promise<string> {
    const row = await holdTradingSwitch(db, this.#deps.storage.dialect, this.#run);
    refuseSwitchedOff(row, this.#run);
    refuseRealMoney(row.mode, this.#run.provenMode);
    return row.mode;
  }

  async #insert(
    db: Kysely<Database>,
    { processId, brokerAt, at }: { readonly processId: string; readonly brokerAt: number | null; readonly at: number },
  ): Promise<void> {
    const { userId, connectionId, run, draft } = this.#run;
    const owned = { user_id: userId, connection_id: connectionId, account_id: draft.accountId, owner_process: processId, updated_at: at };
    await insertOrderRequest(db, {
      ...owned,
      id: this.#requestId,
      caller_id: run,
      name_space: "doctor",
      client_order_id: run,
      is_named: 1,
      // A digest of its own, so that the doctor's order is never equal to a caller's.
      arguments_hash: sha256Hex(run),
      ticket: JSON.stringify(draftFields(draft)),
      reason: "ibkr-gateway doctor",
      state: "sending" satisfies RequestState,
      result: null,
      created_at: at,
    });
    await insertOrderAttempt(db, {
      ...owned,
      id: this.#attemptId,
      request_id: this.#requestId,
      customer_order_id: run,
      generation: 1,
      round: 0,
      state: "sending" satisfies AttemptState,
      doubt: 0,
      ended_by: null,
      broker_order_id: null,
      said: null,
      looks: 0,
      looked_at: null,
      first_sent_at: at,
      first_sent_broker_at: brokerAt,
      sent_at: at,
      sent_broker_at: brokerAt,
      placed_broker_at: null,
    });
  }
}

interface TurnEnd {
  readonly attempt: AttemptState;
  readonly request: RequestState;
  readonly change: { readonly doubt?: number; readonly ended_by?: SendEnd; readonly broker_order_id?: string };
  readonly result?: string;
}

function turnEnd(orderId: string | undefined, isClean: boolean): TurnEnd {
  if (!isClean) return { attempt: "unknown", request: "unknown", change: { doubt: 1 } };
  if (orderId === undefined)
    return { attempt: "no", request: "not_placed", change: { ended_by: "never_left" }, result: JSON.stringify({ reason: "doctor" }) };
  const result = JSON.stringify({ order_id: orderId, status: "Cancelled" });
  return { attempt: "placed", request: "placed", change: { ended_by: "placed", broker_order_id: orderId }, result };
}
