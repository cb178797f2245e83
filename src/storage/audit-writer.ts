import { setImmediate as otherWork } from "node:timers/promises";

import type { Clock } from "../lib/clock.ts";
import { background, type Log } from "../lib/log.ts";
import type { AuditEnd, AuditLog, AuditStart } from "./audit-log.ts";
import { type AuditRow, auditRow, completeAuditRow, prepareAuditInsert } from "./audit-rows.ts";
import { isRefusedData } from "./refused-data.ts";
import type { Storage } from "./storage.ts";

export interface AuditWriterDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
}

/** The audit log with what its operator watches. */
export interface AuditWriter extends AuditLog {
  /** Entries waiting to be written. */
  readonly queued: number;
  /** Entries that could not be written at all; each is named in the log. */
  readonly lost: number;
}

/** How often the queue is written: what a crash may cost of reads. */
const FLUSH_EVERY_MS = 50;
/** Rows in one transaction: half a millisecond of SQLite's work, in which nothing else runs. */
const BATCH = 64;
/** From here on the queue is written at once. */
const HIGH_WATER = 1_024;
/** Most entries kept (about 16 MB) while the database fails; it is a minute of 270 calls a second. */
const MAX_QUEUED = 16_384;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 5_000;
/** Tries on close, 100 to 800 ms apart: a restart of the database is not waited for. */
const CLOSE_TRIES = 5;

/** A finished read's row, or the end of a call whose row is there already. */
type Entry =
  | { readonly kind: "row"; readonly row: AuditRow; readonly requestId: string }
  | { readonly kind: "end"; readonly end: AuditEnd; readonly requestId: string };

/**
 * Opens the audit log. Reads are queued and written every 50 ms in transactions of at most 64 rows; when the database fails they are
 * kept and tried again, and when the queue is full (`hasRoom`) further ones are named in the log one by one, so that none is lost in silence.
 */
export function createAuditLog(deps: AuditWriterDeps): AuditWriter {
  return new QueuedAuditLog(deps);
}

class QueuedAuditLog implements AuditWriter {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #insert: ReturnType<typeof prepareAuditInsert>;
  readonly #stopTimer: () => void;
  readonly #queue: Entry[] = [];
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #lost = 0;
  #retryMs = RETRY_FIRST_MS;
  #notBefore = 0;

  constructor({ storage, clock, log }: AuditWriterDeps) {
    this.#storage = storage;
    this.#clock = clock;
    this.#log = log;
    this.#insert = prepareAuditInsert(storage);
    this.#stopTimer = clock.every(FLUSH_EVERY_MS, () => this.#drainSoon());
  }

  get queued(): number {
    return this.#queue.length;
  }

  get lost(): number {
    return this.#lost;
  }

  hasRoom(): boolean {
    return this.#queue.length < MAX_QUEUED;
  }

  record(start: AuditStart, end: AuditEnd): void {
    this.#enqueue({ kind: "row", row: auditRow(start, end), requestId: start.requestId });
  }

  async begin(start: AuditStart): Promise<void> {
    await this.#insert(this.#storage.db, [auditRow(start, undefined)]);
  }

  async complete(requestId: string, end: AuditEnd): Promise<void> {
    try {
      if (!(await completeAuditRow(this.#storage.db, requestId, end))) this.#giveUp(requestId, new Error("no such call is under way"));
    } catch (error) {
      // The call is done and its caller must hear of it; its start is on record, and its end is tried again.
      this.#log.error({ err: error, requestId }, "the end of a call could not be put on record yet");
      this.#enqueue({ kind: "end", requestId, end });
    }
  }

  async flush(): Promise<void> {
    // A run that is under way may have begun before the latest entries came, or fail; ours is the one that counts.
    await this.#draining?.catch(() => undefined);
    await this.#drain();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #enqueue(entry: Entry): void {
    if (!this.hasRoom() || this.#closing !== undefined) {
      this.#giveUp(entry.requestId, new Error(this.#closing === undefined ? "the queue is full" : "the audit log is closed"));
      return;
    }
    this.#queue.push(entry);
    if (this.#queue.length === HIGH_WATER) this.#drainSoon();
  }

  #giveUp(requestId: string, error: unknown): void {
    this.#lost += 1;
    this.#log.error({ err: error, requestId }, "an audit entry is lost");
  }

  #drainSoon(): void {
    if (this.#queue.length === 0 || this.#draining !== undefined || this.#clock.monotonic() < this.#notBefore) return;
    background(this.#drainOrReport(), this.#log, "writing the audit log");
  }

  async #drainOrReport(): Promise<void> {
    try {
      await this.#drain();
      this.#retryMs = RETRY_FIRST_MS;
    } catch (error) {
      this.#log.error({ err: error, queued: this.#queue.length, retryMs: this.#retryMs }, "the audit log can't be written");
      this.#notBefore = this.#clock.monotonic() + this.#retryMs;
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_LAST_MS);
    }
  }

  /** Writes the entries that are there now; one run at a time. */
  #drain(): Promise<void> {
    this.#draining ??= this.#writeQueue(this.#queue.length).finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #writeQueue(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      const batch = this.#queue.slice(0, Math.min(BATCH, left));
      await this.#writeBatch(batch);
      left -= batch.length;
      if (left > 0) await otherWork();
    }
  }

  /** Writes a batch and takes it off the queue. Entries that the database refuses for what they are don't hold up the others. */
  async #writeBatch(batch: readonly Entry[]): Promise<void> {
    try {
      await this.#write(batch);
      this.#queue.splice(0, batch.length);
    } catch (error) {
      if (!isRefusedData(error)) throw error;
      for (const entry of batch) await this.#writeAlone(entry);
    }
  }

  async #writeAlone(entry: Entry): Promise<void> {
    try {
      await this.#write([entry]);
    } catch (error) {
      if (!isRefusedData(error)) throw error;
      this.#giveUp(entry.requestId, error);
    }
    this.#queue.shift();
  }

  async #write(batch: readonly Entry[]): Promise<void> {
    const rows = batch.flatMap((entry) => (entry.kind === "row" ? [entry.row] : []));
    await this.#storage.transaction(
      async (transaction) => {
        await this.#insert(transaction, rows);
        for (const entry of batch) if (entry.kind === "end") await completeAuditRow(transaction, entry.requestId, entry.end);
      },
      { durability: "relaxed" },
    );
  }

  async #close(): Promise<void> {
    this.#stopTimer();
    for (let attempt = 1; attempt <= CLOSE_TRIES; attempt += 1) {
      try {
        await this.flush();
        return;
      } catch (error) {
        this.#log.error({ err: error, queued: this.#queue.length }, "the audit log can't be written on close");
        if (attempt < CLOSE_TRIES) await this.#clock.wait(RETRY_FIRST_MS * 2 ** (attempt - 1));
      }
    }
    const left = this.#queue.splice(0);
    for (const entry of left) this.#giveUp(entry.requestId, new Error("the database failed until the end"));
    throw new Error(`${left.length} audit entries could not be written before the end`);
  }
}
