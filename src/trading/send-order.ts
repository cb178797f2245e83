import { GatewayError } from "../lib/errors.ts";
import { sha256Hex } from "../lib/secret.ts";
import { attemptInTurn, moveOrderAttempt } from "../storage/order-attempts.ts";
import { findOrderRequestById, moveOrderRequest, type OrderRequestRow } from "../storage/order-requests.ts";
import { turnOf } from "./account-turns.ts";
import { Departure } from "./departure.ts";
import { exchange } from "./exchange.ts";
import { endingOf, type ExchangeEnd, MAX_ROUNDS } from "./order-ends.ts";
import { readRequestState, type RequestState } from "./order-states.ts";
import { outcomeOf } from "./outcome-of.ts";
import { holdPermission } from "./permission.ts";
import { permitSending, planSending, RequestMoved, type Sending, TurnTaken, type Wish } from "./permit-sending.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { addShown, parseMessages, type QuestionMessage } from "./questions.ts";
import {
  brokerRejected,
  confirmationLimit,
  notSent,
  outcomeUnknown,
  outcomeUnresolved,
  storageUnavailable,
  turnTooLate,
} from "./trading-errors.ts";
import type { PlaceOutcome, TradingCall } from "./trading.ts";

/** How long a confirm token is good. */
const TOKEN_TTL_MS = 120_000;
/** Longest wait for the account's turn. */
const TURN_LIMIT_MS = 25_000;
/** How often a process checks whether another's turn has ended. */
const TURN_STEP_MS = 100;
/** IBKR's words as they are kept for people. */
const MAX_SAID = 2_000;

/**
 * Sends an order in its account's turn and stores how that ended. Returns undefined where another call has moved the request
 * meanwhile. From the permission on, the caller's hanging up changes nothing.
 */
export async function sendOrder(deps: PipelineDeps, wish: Wish, call: TradingCall): Promise<PlaceOutcome | undefined> {
  const { request, draft } = wish;
  deps.running.requests.add(request.id);
  const sending = new OrderSending(deps, wish, call);
  try {
    return await deps.turns.run<PlaceOutcome | undefined>({
      account: turnOf({ connectionId: request.connection_id, accountId: request.account_id }),
      signal: call.call.signal,
      action: () => sending.run(),
      whenLate: async () => {
        if (!sending.giveUp()) return { kind: "pending", clientOrderId: request.client_order_id, draft };
        const kept = await sending.keptBack(turnTooLate());
        if (kept instanceof RequestMoved) return { kind: "pending", clientOrderId: request.client_order_id, draft };
        throw kept;
      },
    });
  } catch (error) {
    // The queue was full, so it never ran.
    if (sending.hasStarted || !(error instanceof GatewayError)) throw error;
    deps.running.requests.delete(request.id);
    const kept = await sending.keptBack(error);
    if (kept instanceof RequestMoved) return undefined;
    throw kept;
  }
}

/** One call's way from the account's queue to the end of its exchange. */
class OrderSending {
  readonly #deps: PipelineDeps;
  readonly #wish: Wish;
  readonly #call: TradingCall;
  readonly #arrivedAt: number;
  #departure: Departure<Sending> | undefined;
  #isGivenUp = false;
  #hasStarted = false;

  constructor(deps: PipelineDeps, wish: Wish, call: TradingCall) {
    this.#deps = deps;
    this.#wish = wish;
    this.#call = call;
    this.#arrivedAt = deps.clock.monotonic();
  }

  /** Whether its turn has come, or its caller did not wait for that. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** Ends the wait; false when the order may be leaving. */
  giveUp(): boolean {
    this.#hasStarted = true;
    this.#isGivenUp = this.#departure?.giveUp() ?? true;
    return this.#isGivenUp;
  }

  async run(): Promise<PlaceOutcome | undefined> {
    this.#hasStarted = true;
    try {
      for (;;) {
        await this.#waitForTurn();
        const end = await this.#exchange();
        const sending = await this.#departure?.outcome();
        if (sending !== undefined) return await this.#conclude(sending, end);
        // Nothing was permitted, so nothing has left.
        const error = "error" in end ? end.error : new Error("IBKR answered an order that was not sent");
        if (error instanceof RequestMoved) throw error;
        if (!(error instanceof TurnTaken)) throw await this.keptBack(error);
      }
    } catch (error) {
      if (error instanceof RequestMoved) return undefined;
      throw error;
    } finally {
      // What is still to be written belongs to the ends.
      if (!this.#deps.ends.has(this.#wish.request.id)) this.#deps.running.requests.delete(this.#wish.request.id);
    }
  }

  /**
   * Closes a request that only waited, and returns what its caller is told. Where another call has sent it, that is not "nothing
   * was placed": its open outcome, or `RequestMoved`.
   */
  async keptBack(error: Error): Promise<Error> {
    const { storage, clock, log } = this.#deps;
    const { user_id: userId, id, client_order_id: clientOrderId } = this.#wish.request;
    const result = JSON.stringify({ reason: error instanceof GatewayError ? error.code : "upstream_unavailable" });
    const to: RequestState = "not_placed";
    try {
      await moveOrderRequest(storage.db, { userId, id, from: ["received"], to, result, at: clock.now() });
    } catch (failure) {
      // The row stays `received`, which its process's end closes too.
      log.error({ err: failure, request: id }, "could not close an order that was not sent");
    }
    const open = await this.#openOutcome();
    if (open !== undefined) return open;
    if (error instanceof GatewayError && TOLD_AS_THEY_ARE.has(error.code)) return error;
    return notSent(error, clientOrderId);
  }

  /** What an earlier sending, or one of another call, has left open; undefined where nothing is placed. */
  async #openOutcome(): Promise<Error | undefined> {
    const row = await this.#current();
    const { account_id: accountId, client_order_id: clientOrderId } = row;
    const state = readRequestState(row.state);
    if (state === "unknown") return outcomeUnknown({ accountId, clientOrderId });
    if (state === "unresolved") return outcomeUnresolved(row);
    return state === "sending" || state === "placed" ? new RequestMoved() : undefined;
  }

  /** The request as it is stored, or, where the database fails, as this call knew it. */
  async #current(): Promise<OrderRequestRow> {
    const { request } = this.#wish;
    try {
      return (await findOrderRequestById(this.#deps.storage.db, request.user_id, request.id)) ?? request;
    } catch (error) {
      this.#deps.log.error({ err: error, request: request.id }, "could not read an order that was kept back");
      return request;
    }
  }

  async #waitForTurn(): Promise<void> {
    const { storage, burial, clock } = this.#deps;
    const account = { connectionId: this.#wish.request.connection_id, accountId: this.#wish.request.account_id };
    for (;;) {
      if (this.#isGivenUp || clock.monotonic() - this.#arrivedAt > TURN_LIMIT_MS) throw await this.keptBack(turnTooLate());
      const isFree = await this.#stored(async () => {
        if ((await attemptInTurn(storage.db, account)) === undefined) return true;
        await burial.run();
        return false;
      });
      if (isFree) return;
      await clock.wait(TURN_STEP_MS);
    }
  }

  /** Runs a query before anything is sent: where it fails, the order is kept back. */
  async #stored<T>(query: () => Promise<T>): Promise<T> {
    try {
      return await query();
    } catch (error) {
      if (error instanceof RequestMoved) throw error;
      this.#deps.log.error({ err: error, request: this.#wish.request.id }, "the database failed before an order was sent");
      throw await this.keptBack(storageUnavailable(error, { client_order_id: this.#wish.request.client_order_id }));
    }
  }

  async #exchange(): Promise<ExchangeEnd> {
    const { clock, turns } = this.#deps;
    const { draft, confirmation } = this.#wish;
    const call = this.#call;
    const plan = await this.#stored(() => planSending(this.#deps, this.#wish));
    this.#departure = new Departure(clock, () => permitSending(this.#deps, { wish: this.#wish, plan, call }));
    if (this.#isGivenUp) this.#departure.giveUp();
    const leave = this.#departure;
    return await turns.exchange(async (signal) =>
      exchange({
        broker: call.broker,
        call: { ...call.call, signal },
        draft,
        customerOrderId: plan.customerOrderId,
        confirmed: confirmation === undefined ? [] : parseMessages(confirmation.questions),
        leave,
        leaveYes: () => new Departure(clock, () => this.#permitYes()),
        onQuestion: (messages) => this.#noteQuestion(plan.attemptId, messages),
      }),
    );
  }

  /** A yes makes an order live as its sending does, so everything is asked again. */
  async #permitYes() {
    const { storage, clock } = this.#deps;
    const { caller, broker } = this.#call;
    const accountId = this.#wish.request.account_id;
    return await storage.transaction(async (db) => {
      const { dialect } = storage;
      const value = await holdPermission(db, { dialect, now: clock.now() }, { caller, provenMode: broker.mode, accountId });
      return { value, at: clock.monotonic() };
    });
  }

  /** IBKR's question is stored before it is answered, so that a person can read it if this process ends now. */
  async #noteQuestion(attemptId: string, messages: readonly QuestionMessage[]): Promise<void> {
    const { storage, clock } = this.#deps;
    const said = messages
      .map(({ text }) => text)
      .join(" ")
      .slice(0, MAX_SAID);
    const { user_id: userId } = this.#wish.request;
    await moveOrderAttempt(storage.db, { userId, id: attemptId, from: ["sending"], to: "sending", change: { said }, at: clock.now() });
  }

  async #conclude(sending: Sending, end: ExchangeEnd): Promise<PlaceOutcome> {
    const { ends, watch, log } = this.#deps;
    const offer = end.kind === "asked" && endingOf("asked", sending).request === "asked" ? this.#offer(sending, end.messages) : undefined;
    if (end.kind === "unknown") log.warn({ err: end.error, attempt: sending.attemptId }, "the outcome of an order is unknown");
    const written = await ends.write({ sending, end, confirmation: offer?.row, brokerAt: this.#call.broker.time() });
    if (end.kind === "unknown" || sending.doubt) watch.watch();
    if (written === "moved") return await this.#asStored(sending);
    if (offer !== undefined && written === "written") return offer.outcome;
    return told(sending, end);
  }

  async #asStored({ request, draft }: Sending): Promise<PlaceOutcome> {
    const row = (await findOrderRequestById(this.#deps.storage.db, request.user_id, request.id)) ?? request;
    return await outcomeOf(this.#deps, { row, draft }, this.#call);
  }

  /** A fresh single-use token for a question, of which only the digest is stored. */
  #offer({ request, draft, round: before, callerId }: Sending, messages: readonly QuestionMessage[]) {
    const { random, clock } = this.#deps;
    const token = random.bytes(24).toString("base64url");
    const at = clock.now();
    const expiresAt = at + TOKEN_TTL_MS;
    const round = before + 1;
    const { confirmation } = this.#wish;
    const shown = addShown(confirmation === undefined ? [] : parseMessages(confirmation.questions), messages);
    const row = {
      token_hash: sha256Hex(token),
      request_id: request.id,
      user_id: request.user_id,
      caller_id: callerId,
      questions: JSON.stringify(shown),
      round,
      expires_at: expiresAt,
      consumed_at: null,
      created_at: at,
    };
    const clientOrderId = request.client_order_id;
    const outcome: PlaceOutcome = {
      kind: "confirmation_required",
      clientOrderId,
      draft,
      messages,
      token,
      expiresAt,
      round,
      maxRounds: MAX_ROUNDS,
    };
    return { row, outcome };
  }
}

/** Failures that say by themselves that nothing was sent, and why. */
const TOLD_AS_THEY_ARE: ReadonlySet<string> = new Set(["possible_duplicate", "confirmation_expired", "storage_unavailable"]);

/** What a caller is told of an end that is known, also where it could not be stored yet. */
function told({ request, draft, doubt, round }: Sending, end: ExchangeEnd): PlaceOutcome {
  const { client_order_id: clientOrderId, account_id: accountId } = request;
  if (end.kind === "accepted")
    return { kind: "placed", orderId: end.orderId, status: end.status, isRepeat: false, placedAt: undefined, clientOrderId, draft };
  if (end.kind === "unknown")
    throw outcomeUnknown({ accountId, clientOrderId }, { said: end.said, orderId: end.orderId, cause: end.error });
  if (doubt) throw outcomeUnknown({ accountId, clientOrderId });
  if (end.kind === "rejected") throw brokerRejected(end.reason, clientOrderId);
  if (end.kind === "asked") throw round < MAX_ROUNDS ? questionNotStored(clientOrderId, end.messages) : confirmationLimit(clientOrderId);
  throw notSent(end.error, clientOrderId);
}

function questionNotStored(clientOrderId: string, messages: readonly QuestionMessage[]): GatewayError {
  const words = messages.map(({ text }) => text).join(" ");
  return new GatewayError("storage_unavailable", `IBKR asked a question, which the gateway's database could not store: ${words}`, {
    whatToDo: `Nothing was placed. Send the order again later with client_order_id "${clientOrderId}" to be asked again.`,
    retryAfterSeconds: 10,
    details: { client_order_id: clientOrderId },
  });
}
