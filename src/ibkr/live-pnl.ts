import type { Clock } from "../lib/clock.ts";
import { type RawRow, type StreamFrame, SUBSCRIBE_PNL, UNSUBSCRIBE_PNL } from "./endpoints/stream.ts";
import type { Stream } from "./stream.ts";
import type { StreamFeed } from "./stream-feed.ts";

/** Subscribed anew after so long, so that a subscription that died without a word is noticed. */
const RENEW_AFTER_MS = 240_000;
/** Not told for so long, renewals included: not trusted any more. */
const UNTOLD_MS = 300_000;
const UNUSED_MS = 600_000;
/** Accounts of one user, with a few models each. */
const MAX_ROWS = 1000;
const FIELDS: ReadonlySet<string> = new Set(["dpl", "nl", "upl", "uel", "el", "mv"]);

/** Profit and loss of all accounts, as IBKR last told it. */
export interface PnlTold {
  /** By account and model (`DU1234567.Core`): `dpl`, `nl`, `upl`, `uel`, `mv`. */
  readonly rows: Readonly<Record<string, RawRow>>;
  /** Epoch ms. */
  readonly asOf: number;
}

/** Profit and loss of the day, kept current by the stream. */
export class LivePnl implements StreamFeed {
  readonly #stream: Stream;
  readonly #clock: Clock;
  #told: PnlTold | undefined;
  #subscribedAt: number | undefined;
  #usedAt = -Infinity;

  constructor({ stream, clock }: { readonly stream: Stream; readonly clock: Clock }) {
    this.#stream = stream;
    this.#clock = clock;
    stream.attach(this);
  }

  get subscriptions(): number {
    return this.#subscribedAt === undefined ? 0 : 1;
  }

  /** What the stream tells; undefined while it doesn't, when IBKR has to be asked. Keeps it told for ten minutes. Costs no request. */
  read(): PnlTold | undefined {
    const now = this.#clock.now();
    this.#usedAt = now;
    this.#stream.need();
    if (!this.#stream.isLive) return undefined;
    if (this.#subscribedAt === undefined) this.#subscribe(now);
    return this.#told === undefined || now - this.#told.asOf >= UNTOLD_MS ? undefined : this.#told;
  }

  opened(): void {
    const now = this.#clock.now();
    if (now - this.#usedAt < UNUSED_MS) this.#subscribe(now);
  }

  heard(frame: StreamFrame): void {
    if (frame.kind !== "pnl" || this.#subscribedAt === undefined) return;
    const rows = { ...this.#told?.rows };
    for (const [key, row] of Object.entries(frame.rows)) {
      const fields = Object.entries(row).filter(([name]) => FIELDS.has(name));
      rows[key] = { ...rows[key], ...Object.fromEntries(fields) };
    }
    if (Object.keys(rows).length > MAX_ROWS) this.#told = undefined;
    else this.#told = { rows, asOf: this.#clock.now() };
  }

  lost(): void {
    this.#told = undefined;
    this.#subscribedAt = undefined;
  }

  tick(now: number): void {
    if (this.#subscribedAt === undefined) return;
    if (now - this.#usedAt >= UNUSED_MS) {
      this.#stream.send(UNSUBSCRIBE_PNL);
      this.lost();
    } else if (now - this.#subscribedAt >= RENEW_AFTER_MS) this.#subscribe(now);
  }

  #subscribe(now: number): void {
    this.#subscribedAt = now;
    this.#stream.send(SUBSCRIBE_PNL);
  }
}
