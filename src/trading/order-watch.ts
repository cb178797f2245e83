import type { Broker, CallOptions } from "../broker/broker.ts";
import type { Connections } from "../connections/connections.ts";
import type { Clock } from "../lib/clock.ts";
import { background, type Log } from "../lib/log.ts";
import { attemptsIn, attemptsOf, moveOrderAttempt, noteOrderLook, type OrderAttemptRow } from "../storage/order-attempts.ts";
import { findOrderRequestById, moveOrderRequest, type OrderRequestRow } from "../storage/order-requests.ts";
import type { Processes } from "../storage/processes.ts";
import type { Storage } from "../storage/storage.ts";
import type { AttemptAges } from "./attempt-ages.ts";
import type { Burial } from "./burial.ts";
import { countUnder, sightingOf } from "./evidence.ts";
import { nextLookAfter, UNRESOLVED_AFTER_MS } from "./look-schedule.ts";
import type { Running } from "./pipeline.ts";
import type { PlacedOrders } from "./placed-orders.ts";
import type { AttemptState, RequestState } from "./order-states.ts";

/** Called once for each order that a person has to decide about. */
export type OnUnresolved = (request: OrderRequestRow) => void;

export interface OrderWatchDeps {
  readonly storage: Storage;
  readonly processes: Processes;
  readonly connections: Pick<Connections, "open">;
  readonly clock: Clock;
  readonly log: Log;
  readonly running: Running;
  readonly ages: AttemptAges;
  readonly burial: Burial;
  readonly placed: PlacedOrders;
  readonly onUnresolved?: OnUnresolved | undefined;
}

/** How often the watch checks whether something is due. */
const POLL_MS = 5_000;
/** Most attempts looked after at a time; more than this means that something else is wrong. */
const MAX_OPEN = 500;
/** Longest round of looks at one account. */
const ROUND_LIMIT_MS = 60_000;
const MAX_TRADE_DAYS = 7;

/** The looks at one attempt since its series began; a new session begins it again. */
interface Series {
  readonly looks: number;
  /** By the monotonic clock. */
  readonly dueAt: number;
}

interface Look {
  readonly ids: ReadonlySet<string>;
  readonly ended: Promise<void>;
}

/**
 * Looks for orders of unknown outcome by their `cOID`, never sends. Found means placed; not found means nothing, and after five
 * minutes a person is asked.
 */
export class OrderWatch {
  readonly #deps: OrderWatchDeps;
  readonly #closing = new AbortController();
  readonly #series = new Map<string, Series>();
  /** Account → the look in progress, which others join. */
  readonly #looks = new Map<string, Look>();
  #stopPolling: (() => void) | undefined;
  #round: Promise<void> | undefined;

  constructor(deps: OrderWatchDeps) {
    this.#deps = deps;
  }

  /** Starts looking in the background. */
  watch(): void {
    if (this.#closing.signal.aborted) return;
    this.#stopPolling ??= this.#deps.clock.every(POLL_MS, () => {
      background(this.runRound(), this.#deps.log, "looking for orders of unknown outcome");
    });
  }

  /** Closes what dead processes left and looks at everything that is due; joins the round in progress. */
  async runRound(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#round ??= this.#lookAtAll().finally(() => (this.#round = undefined));
    await this.#round;
  }

  /** Looks for the open attempts of one request now. Where IBKR can't be asked, its state stays as it is. */
  async lookUp(request: OrderRequestRow, broker: Broker, call: CallOptions): Promise<void> {
    await this.#deps.burial.run();
    const attempts = (await attemptsOf(this.#deps.storage.db, request.user_id, request.id)).filter((attempt) => this.#isLookedFor(attempt));
    if (attempts.length === 0) return;
    this.watch();
    try {
      await this.#lookTogether(attempts, broker, call);
    } catch (error) {
      this.#deps.log.warn({ err: error, request: request.id }, "could not look for an order of unknown outcome");
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the server is closing"));
    this.#stopPolling?.();
    await this.#round;
  }

  #isLookedFor({ state, id }: OrderAttemptRow): boolean {
    return state === ("unknown" satisfies AttemptState) && !this.#deps.running.attempts.has(id);
  }

  async #lookAtAll(): Promise<void> {
    const { storage, burial } = this.#deps;
    await burial.run();
    const open = await attemptsIn(storage.db, ["unknown" satisfies AttemptState], MAX_OPEN);
    this.#forgetSettled(open);
    const mine: OrderAttemptRow[] = [];
    for (const attempt of open) if (this.#isLookedFor(attempt) && (await this.#isMine(attempt))) mine.push(attempt);
    for (const attempt of mine) this.#deps.ages.seen(attempt.id);
    const due = mine.filter((attempt) => this.#isDue(attempt));
    await Promise.all([...Map.groupBy(due, groupOf).values()].map((attempts) => this.#lookAtGroup(attempts)));
    for (const attempt of mine) await this.#putToPerson(attempt);
  }

  #forgetSettled(open: readonly OrderAttemptRow[]): void {
    const ids = new Set(open.map(({ id }) => id));
    for (const id of this.#series.keys()) if (!ids.has(id)) this.#series.delete(id);
  }

  /** The process that sent it looks for it; of those of dead processes, whichever adopts it first. */
  async #isMine(attempt: OrderAttemptRow): Promise<boolean> {
    const { processes, storage, clock } = this.#deps;
    const own = await processes.hold();
    if (attempt.owner_process === own) return true;
    if (await processes.isAlive(attempt.owner_process)) return false;
    const from = ["unknown" satisfies AttemptState];
    const change = { owner_process: own };
    return await moveOrderAttempt(storage.db, { userId: attempt.user_id, id: attempt.id, from, to: "unknown", change, at: clock.now() });
  }

  #isDue({ id }: OrderAttemptRow): boolean {
    const now = this.#deps.clock.monotonic();
    const series = this.#series.get(id) ?? { looks: 0, dueAt: now + (nextLookAfter(0, 0) ?? 0) };
    this.#series.set(id, series);
    return now >= series.dueAt;
  }

  async #lookAtGroup(attempts: readonly OrderAttemptRow[]): Promise<void> {
    const [first] = attempts;
    if (first === undefined) return;
    const { clock, connections, log } = this.#deps;
    const limit = new AbortController();
    const timer = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, limit.signal]);
    const timing = clock.wait(ROUND_LIMIT_MS, AbortSignal.any([timer.signal, this.#closing.signal])).then(
      () => limit.abort(new Error("looking for orders took too long")),
      () => undefined,
    );
    try {
      const { broker } = await connections.open({ connectionId: first.connection_id, userId: first.user_id }, signal);
      await this.#lookTogether(attempts, broker, { signal, caller: "order watch" });
    } catch (error) {
      // The next session begins the series again, which keeps to a minute until then.
      for (const { id } of attempts) this.#series.set(id, { looks: 0, dueAt: clock.monotonic() + 60_000 });
      log.warn({ err: error, attempts: attempts.length }, "could not look for orders of unknown outcome");
    } finally {
      timer.abort();
      await timing;
    }
  }

  /** One look at an account at a time, which calls about the same attempts share. */
  async #lookTogether(attempts: readonly OrderAttemptRow[], broker: Broker, call: CallOptions): Promise<void> {
    const [first] = attempts;
    if (first === undefined) return;
    const group = groupOf(first);
    for (let look = this.#looks.get(group); look !== undefined; look = this.#looks.get(group)) {
      const { ids, ended } = look;
      await ended;
      if (attempts.every(({ id }) => ids.has(id))) return;
    }
    const ended = this.#look(attempts, broker, call).finally(() => this.#looks.delete(group));
    this.#looks.set(group, { ids: new Set(attempts.map(({ id }) => id)), ended });
    await ended;
  }

  async #look(attempts: readonly OrderAttemptRow[], broker: Broker, call: CallOptions): Promise<void> {
    const [first] = attempts;
    if (first === undefined) return;
    const { ages, clock, placed, storage } = this.#deps;
    ages.heard(first.connection_id, broker.time());
    const ageOf = (attempt: OrderAttemptRow): number => ages.atLeast(attempt);
    const oldest = Math.max(...attempts.map(ageOf));
    const days = Math.min(MAX_TRADE_DAYS, 2 + Math.floor(oldest / 86_400_000));
    const sightings = await broker.lookForOrders(first.account_id, days, call);
    for (const attempt of attempts) {
      const count = countUnder(attempt.customer_order_id, sightings);
      if (count > 1) await placed.several(attempt, count);
      const sighting = sightingOf(attempt.customer_order_id, sightings, ageOf(attempt)) ?? (await this.#ofItsId(attempt, broker, call));
      if (sighting !== undefined) await placed.record(attempt, sighting, broker.time());
      else {
        const looks = attempt.looks + 1;
        await noteOrderLook(storage.db, { userId: attempt.user_id, id: attempt.id, looks, at: clock.now() });
        this.#nextLook(attempt, ageOf(attempt));
        await this.#putToPerson(attempt);
      }
    }
  }

  /** An advanced reject names the order's id, whose status then tells. */
  async #ofItsId({ account_id: accountId, broker_order_id: orderId }: OrderAttemptRow, broker: Broker, call: CallOptions) {
    if (orderId === null) return undefined;
    const order = await broker.order(accountId, orderId, call);
    const counts = order !== undefined && ["PreSubmitted", "Submitted", "Filled", "PendingCancel", "PreCancelled"].includes(order.status);
    return counts ? { orderId, status: order.status } : undefined;
  }

  #nextLook({ id }: OrderAttemptRow, ageMs: number): void {
    const looks = (this.#series.get(id)?.looks ?? 0) + 1;
    const gap = nextLookAfter(looks, ageMs);
    this.#series.set(id, { looks, dueAt: gap === undefined ? Infinity : this.#deps.clock.monotonic() + gap });
  }

  async #putToPerson(attempt: OrderAttemptRow): Promise<void> {
    const { storage, ages, clock, onUnresolved } = this.#deps;
    if (ages.atLeast(attempt) < UNRESOLVED_AFTER_MS) return;
    const { user_id: userId, request_id: id } = attempt;
    const from = ["unknown" satisfies RequestState];
    const isNew = await moveOrderRequest(storage.db, { userId, id, from, to: "unresolved" satisfies RequestState, at: clock.now() });
    const request = isNew ? await findOrderRequestById(storage.db, userId, id) : undefined;
    if (request !== undefined) onUnresolved?.(request);
  }
}

function groupOf(attempt: OrderAttemptRow): string {
  return `${attempt.connection_id} ${attempt.account_id}`;
}
