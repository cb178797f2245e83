import type { CallOptions } from "../broker/broker.ts";
import type { Instrument, SecType } from "../broker/instrument.ts";
import type { QuoteField } from "../broker/market-data.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import { GatewayError } from "../lib/errors.ts";
import { background, type Log } from "../lib/log.ts";
import { abortReason } from "./abortable.ts";
import type { Api } from "./api.ts";
import { isStarted, isUnsubscribed, missingFields, readSnapshot, type SnapshotRow, snapshotRequest } from "./endpoints/market-data.ts";
import type { Streams } from "./streams.ts";

/** How long after IBKR's first answer we wait for the fields that it still owes. */
const COMPLETION_LIMIT_MS = 2000;
const POLL_EVERY_MS = 400;
/** IBKR takes 100 contracts in one request; two requests of this size at once stay under the user's 100 lines. */
const BATCH = 40;
const MAX_FLIGHTS = 2;
const MAX_ACTIVE = BATCH * MAX_FLIGHTS;
/** Contracts that may wait for their turn; what stands further back would not be served in time. */
const MAX_WAITING = 500;
/** A field that did not come (an index has no bid) isn't waited for again for this long. */
const UNAVAILABLE = { maxEntries: 1000, ttlMs: 300_000 };

/** What some kinds of contract usually don't have: nobody trades an index itself, and currencies have no common volume. */
const UNUSUAL: Readonly<Partial<Record<SecType, ReadonlySet<QuoteField>>>> = {
  IND: new Set<QuoteField>(["bid", "ask", "bid_size", "ask_size", "volume"]),
  CASH: new Set<QuoteField>(["volume", "day_open"]),
};
const NONE: ReadonlySet<QuoteField> = new Set();

interface Want {
  readonly conid: number;
  /** Fields that aren't waited for. */
  readonly unusual: ReadonlySet<QuoteField>;
  readonly options: CallOptions;
  readonly resolve: (row: SnapshotRow) => void;
  readonly reject: (error: unknown) => void;
  row: SnapshotRow;
  firstAnswerAt: number | undefined;
  nextPollAt: number;
  isBusy: boolean;
  /** Asked for by itself, because IBKR refused it together with others. */
  isAlone: boolean;
}

/** Polls snapshots until they are complete, many contracts in one request, whoever asked for them. */
export class Snapshots {
  readonly #api: Api;
  readonly #streams: Streams;
  readonly #log: Log;
  readonly #wants = new Map<number, Want>();
  readonly #unavailable: BoundedCache<number, ReadonlySet<QuoteField>>;
  readonly #ended = new AbortController();
  #flights = 0;
  #wakeAt = Infinity;
  #isScheduled = false;

  constructor(deps: { readonly api: Api; readonly streams: Streams; readonly log: Log }) {
    this.#api = deps.api;
    this.#streams = deps.streams;
    this.#log = deps.log;
    this.#unavailable = new BoundedCache({ clock: deps.api.clock, ...UNAVAILABLE });
  }

  /** What IBKR knows of a contract's market, once it is complete or two seconds have passed. One caller per contract at a time. */
  complete({ conid, secType }: Instrument, options: CallOptions): Promise<SnapshotRow> {
    if (this.#wants.size >= MAX_WAITING)
      return Promise.reject(
        new GatewayError("rate_limited", "Too many quotes are being fetched at once.", {
          whatToDo: "Try again in 5 s.",
          retryAfterSeconds: 5,
        }),
      );
    const { promise, resolve, reject } = Promise.withResolvers<SnapshotRow>();
    const want: Want = {
      conid,
      unusual: UNUSUAL[secType] ?? NONE,
      options,
      resolve,
      reject,
      row: {},
      firstAnswerAt: undefined,
      nextPollAt: 0,
      isBusy: false,
      isAlone: false,
    };
    this.#wants.set(conid, want);
    const leave = () => {
      this.#forget(want);
      reject(abortReason(options.signal));
    };
    options.signal.addEventListener("abort", leave, { once: true });
    this.#schedule();
    return promise.finally(() => options.signal.removeEventListener("abort", leave));
  }

  close(): void {
    this.#ended.abort();
    for (const want of this.#wants.values()) want.reject(abortReason(this.#ended.signal));
    this.#wants.clear();
  }

  /** Those who ask within the same turn of the event loop share a request. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    const now = this.#api.clock.now();
    while (this.#flights < MAX_FLIGHTS) {
      const batch = this.#due(now);
      if (batch.length === 0) break;
      background(this.#poll(batch), this.#log, "quotes");
    }
    this.#sleep(now);
  }

  #due(now: number): Want[] {
    let active = [...this.#wants.values()].filter((want) => want.firstAnswerAt !== undefined || want.isBusy).length;
    const batch: Want[] = [];
    for (const want of this.#wants.values()) {
      if (want.isBusy || want.nextPollAt > now || batch.length >= BATCH) continue;
      if (want.isAlone) return batch.length === 0 ? [want] : batch;
      if (want.firstAnswerAt === undefined) {
        if (active >= MAX_ACTIVE) continue;
        active += 1;
      }
      batch.push(want);
    }
    return batch;
  }

  async #poll(batch: readonly Want[]): Promise<void> {
    this.#flights += 1;
    for (const want of batch) want.isBusy = true;
    const [first] = batch;
    const options: CallOptions = { ...first?.options, caller: first?.options.caller ?? "quotes", signal: this.#ended.signal };
    const conids = batch.map((want) => want.conid);
    try {
      await this.#api.session.ready(options.signal);
      await this.#streams.open(conids, options);
      const rows = readSnapshot(await this.#api.read(snapshotRequest(conids), options));
      for (const want of batch) this.#received(want, rows.get(want.conid));
    } catch (error) {
      for (const want of batch) this.#failed(want, error, batch.length > 1);
    } finally {
      this.#flights -= 1;
      for (const want of batch) want.isBusy = false;
      this.#pump();
    }
  }

  #received(want: Want, row: SnapshotRow | undefined): void {
    const now = this.#api.clock.now();
    want.firstAnswerAt ??= now;
    want.row = { ...want.row, ...row };
    const missing = missingFields(want.row);
    const unavailable = this.#unavailable.get(want.conid);
    const isComplete =
      isUnsubscribed(want.row) ||
      (isStarted(want.row) && missing.every((field) => want.unusual.has(field) || unavailable?.has(field) === true));
    const isLate = now - want.firstAnswerAt >= COMPLETION_LIMIT_MS;
    if (!isComplete && !isLate) {
      want.nextPollAt = now + POLL_EVERY_MS;
      return;
    }
    if (isLate && isStarted(want.row)) this.#unavailable.set(want.conid, new Set(missing));
    this.#forget(want);
    want.resolve(want.row);
  }

  #failed(want: Want, error: unknown, wasTogether: boolean): void {
    const mayBeAnother = error instanceof GatewayError && (error.code === "broker_rejected" || error.code === "broker_error");
    if (wasTogether && mayBeAnother) {
      want.isAlone = true;
      return;
    }
    this.#forget(want);
    want.reject(error);
  }

  #forget(want: Want): void {
    if (this.#wants.get(want.conid) === want) this.#wants.delete(want.conid);
  }

  #sleep(now: number): void {
    let next = Infinity;
    for (const want of this.#wants.values()) if (!want.isBusy && want.nextPollAt > now) next = Math.min(next, want.nextPollAt);
    if (next >= this.#wakeAt || this.#ended.signal.aborted) return;
    this.#wakeAt = next;
    background(this.#wake(next, next - now), this.#log, "quotes");
  }

  async #wake(at: number, ms: number): Promise<void> {
    await this.#api.clock.wait(ms);
    if (this.#wakeAt === at) this.#wakeAt = Infinity;
    this.#pump();
  }
}
