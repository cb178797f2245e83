import type { Instrument } from "../broker/instrument.ts";
import type { Quote } from "../broker/market-data.ts";
import type { Clock } from "../lib/clock.ts";
import type { Decimal } from "../lib/decimal.ts";
import { mergeRow, sentAt, type SnapshotRow, toQuote } from "./endpoints/market-data.ts";
import { subscribeQuote, type StreamFrame, unsubscribeQuote } from "./endpoints/stream.ts";
import type { Stream } from "./stream.ts";
import type { StreamFeed } from "./stream-feed.ts";
import { MAX_LINES, type Streams } from "./streams.ts";

/** IBKR ends a subscription ten minutes after it was sent; it is sent again before. */
const RENEW_AFTER_MS = 480_000;
/** Not told anything of a contract for so long, renewals included: its subscription may be dead, and a snapshot is taken. */
const UNTOLD_MS = 600_000;
/** A snapshot this old when the stream opens leaves a gap, which another one fills. */
const GAP_MS = 5000;
/** What nobody asked for since is not subscribed again on a new stream. */
const UNUSED_MS = 300_000;

/** What a quote is made with, beside the row. */
export interface QuoteSubject {
  readonly instrument: Instrument;
  readonly magnifier: Decimal | undefined;
}

interface Watched {
  readonly subject: QuoteSubject;
  row: SnapshotRow;
  /** A snapshot is in the row, so that every field is there that IBKR has. */
  isWhole: boolean;
  /** The stream has told of it since it was subscribed. */
  isTold: boolean;
  /** When IBKR last told anything of it. */
  toldAt: number;
  subscribedAt: number | undefined;
  usedAt: number;
  /** Made of the row when somebody asks. */
  quote: Quote | undefined;
}

export interface LiveQuotesDeps {
  readonly stream: Stream;
  /** The market data lines: each contract here holds one. */
  readonly lines: Streams;
  readonly clock: Clock;
}

/** Quotes in use, kept current by the stream: a snapshot first, then what changes. Serves only what is proven to be current. */
export class LiveQuotes implements StreamFeed {
  readonly #deps: LiveQuotesDeps;
  readonly #watched = new Map<number, Watched>();
  #refill: (instruments: readonly Instrument[]) => void = () => undefined;

  constructor(deps: LiveQuotesDeps) {
    this.#deps = deps;
    deps.stream.attach(this);
    deps.lines.onClosed((conids) => this.#forget(conids));
  }

  get subscriptions(): number {
    let count = 0;
    for (const { subscribedAt } of this.#watched.values()) if (subscribedAt !== undefined) count += 1;
    return count;
  }

  /** Names who takes snapshots when a gap has to be filled, and hands them to `watch`. */
  onGap(refill: (instruments: readonly Instrument[]) => void): void {
    this.#refill = refill;
  }

  /** Tells that quotes are asked for: the stream opens, if it isn't open. */
  use(): void {
    this.#deps.stream.need();
  }

  /** The quote as the stream keeps it; undefined where it doesn't, or can't be trusted. Costs no request. */
  get(conid: number): Quote | undefined {
    const { stream, lines, clock } = this.#deps;
    const watched = this.#watched.get(conid);
    if (watched === undefined) return undefined;
    const now = clock.now();
    watched.usedAt = now;
    if (!watched.isWhole || !watched.isTold || now - watched.toldAt >= UNTOLD_MS || !stream.isLive) return undefined;
    lines.touch(conid);
    watched.quote ??= toQuote(watched.row, { ...watched.subject, now: watched.toldAt });
    return watched.quote;
  }

  /** Takes in a snapshot that was just read in the present session, and keeps the contract current from here on. */
  watch(subject: QuoteSubject, snapshot: SnapshotRow): void {
    const { stream, clock } = this.#deps;
    const { conid } = subject.instrument;
    const now = clock.now();
    const watching = this.#watched.get(conid);
    // A subscription that told nothing for so long is dead: the snapshot is no sign of life of it, and what it told is no part of the present.
    const known = watching !== undefined && now - watching.toldAt < UNTOLD_MS ? watching : undefined;
    // A snapshot may be older than what the stream told meanwhile.
    const isOlder = known !== undefined && sentAt(snapshot) < sentAt(known.row);
    const row = isOlder ? mergeRow(snapshot, known.row) : mergeRow(known?.row ?? {}, snapshot);
    const watched: Watched = {
      subject,
      row,
      isWhole: true,
      isTold: known?.isTold ?? false,
      toldAt: now,
      subscribedAt: known?.subscribedAt,
      usedAt: now,
      quote: undefined,
    };
    this.#watched.set(conid, watched);
    if (this.#watched.size > MAX_LINES) this.#forgetLeastUsed();
    if (watched.subscribedAt === undefined && stream.isLive) this.#subscribe(conid, watched, now);
  }

  opened(): void {
    const { lines, clock } = this.#deps;
    const now = clock.now();
    const gaps: Instrument[] = [];
    for (const [conid, watched] of this.#watched) {
      if (now - watched.usedAt >= UNUSED_MS) {
        this.#watched.delete(conid);
        continue;
      }
      if (!watched.isWhole || now - watched.toldAt >= GAP_MS) {
        reset(watched);
        gaps.push(watched.subject.instrument);
      }
      this.#subscribe(conid, watched, now);
    }
    lines.adopt([...this.#watched.keys()]);
    if (gaps.length > 0) this.#refill(gaps);
  }

  heard(frame: StreamFrame): void {
    if (frame.kind !== "quote") return;
    const watched = this.#watched.get(frame.conid);
    if (watched?.subscribedAt === undefined) return;
    watched.row = mergeRow(watched.row, frame.row);
    watched.isTold = true;
    watched.toldAt = this.#deps.clock.now();
    watched.quote = undefined;
  }

  lost(): void {
    for (const watched of this.#watched.values()) {
      reset(watched);
      watched.subscribedAt = undefined;
    }
  }

  tick(now: number): void {
    for (const [conid, watched] of this.#watched)
      if (watched.subscribedAt !== undefined && now - watched.subscribedAt >= RENEW_AFTER_MS) this.#subscribe(conid, watched, now);
  }

  #subscribe(conid: number, watched: Watched, now: number): void {
    watched.subscribedAt = now;
    this.#deps.stream.send(subscribeQuote(conid));
  }

  /** Their lines were closed. */
  #forget(conids: readonly number[]): void {
    for (const conid of conids) {
      const watched = this.#watched.get(conid);
      this.#watched.delete(conid);
      if (watched?.subscribedAt !== undefined) this.#deps.stream.send(unsubscribeQuote(conid));
    }
  }

  #forgetLeastUsed(): void {
    const [first] = [...this.#watched].toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
    if (first !== undefined) this.#forget([first[0]]);
  }
}

function reset(watched: Watched): void {
  watched.row = {};
  watched.isWhole = false;
  watched.isTold = false;
  watched.quote = undefined;
}
