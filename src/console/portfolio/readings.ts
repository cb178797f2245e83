import { BoundedCache } from "../../lib/bounded-cache.ts";
import type { Clock } from "../../lib/clock.ts";
import { GatewayError } from "../../lib/errors.ts";
import { background, type Log } from "../../lib/log.ts";
import { portfolioTexts } from "../../pages/texts/portfolio.ts";

/** Why a part of a page could not be read. */
export interface PartFault {
  readonly message: string;
  readonly whatToDo: string;
  readonly link: string | undefined;
}

/** A part of a page: what is known of it, and what is wrong with it now. An older value stays beside a fault. */
export interface Part<V> {
  readonly value: V | undefined;
  /** When the value was read, epoch ms. */
  readonly readAt: number | undefined;
  readonly fault: PartFault | undefined;
  /** It is being read, and the page waited for it long enough. */
  readonly isPending: boolean;
}

/** A part that nothing is known of and nobody asked for. */
export const EMPTY_PART: Part<never> = { value: undefined, readAt: undefined, fault: undefined, isPending: false };

export interface ReadingsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How long a value is shown without being read again. */
  readonly freshMs: number;
  readonly maxEntries: number;
}

/** How one part is read. */
export interface Read<V> {
  readonly load: (signal: AbortSignal) => Promise<V>;
  readonly pace?: Pace | undefined;
}

/** How current a part has to be, and how long it is waited for. */
export interface Pace {
  /** In place of the usual time, as for a page that keeps itself current at a calmer pace. */
  readonly freshMs?: number | undefined;
  /** When the page is answered whatever has come, epoch ms; left out for a moment from now. */
  readonly until?: number | undefined;
}

/** How long a page waits for what it hasn't got: opening a session takes under a second when all is well. */
export const PAGE_WAIT_MS = 3_000;
/** Then a read is given up; its page has been answered long since. */
const LOAD_LIMIT_MS = 30_000;
/** An older value stands in when the broker can't be asked; older than this it would mislead. */
const KEPT_MS = 15 * 60_000;
/** What failed is not asked again within this time, however often the page is loaded. */
const FAULT_KEPT_MS = 2_000;

interface Kept<V> {
  readonly value: V | undefined;
  readonly readAt: number | undefined;
  readonly fault: PartFault | undefined;
  readonly triedAt: number;
}

/** Reads parts of pages, one read at a time per key, and keeps them: whoever asks waits for a moment only. */
export class Readings<V> {
  readonly #options: ReadingsOptions;
  readonly #kept: BoundedCache<string, Kept<V>>;
  /** Bounded by those who wait, and by the limit on each read. */
  readonly #loading = new Map<string, Promise<void>>();

  constructor(options: ReadingsOptions) {
    this.#options = options;
    this.#kept = new BoundedCache({ clock: options.clock, maxEntries: options.maxEntries, ttlMs: KEPT_MS });
  }

  /** Answers what is fresh at once, and otherwise what is known after a moment. Never throws for what the broker says. */
  async read(key: string, { load, pace = {} }: Read<V>): Promise<Part<V>> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#serves(kept, pace.freshMs ?? this.#options.freshMs)) return partOf(kept, false);
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#load(key, load).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
      background(loading, this.#options.log, "reading a part of a page");
    }
    const now = this.#options.clock.now();
    await this.#patiently(loading, Math.max(0, (pace.until ?? now + PAGE_WAIT_MS) - now));
    return partOf(this.#kept.get(key), this.#loading.has(key));
  }

  #serves({ readAt, fault, triedAt }: Kept<V>, freshMs: number): boolean {
    const now = this.#options.clock.now();
    return fault === undefined ? readAt !== undefined && now - readAt < freshMs : now - triedAt < FAULT_KEPT_MS;
  }

  async #load(key: string, load: Read<V>["load"]): Promise<void> {
    const { clock, log } = this.#options;
    const late = new AbortController();
    const enough = new AbortController();
    const timer = clock.wait(LOAD_LIMIT_MS, enough.signal).then(
      () => late.abort(new Error("the read took too long")),
      () => undefined,
    );
    try {
      const value = await load(late.signal);
      const now = clock.now();
      this.#kept.set(key, { value, readAt: now, fault: undefined, triedAt: now });
    } catch (error) {
      if (!(error instanceof GatewayError) && !late.signal.aborted) log.error({ err: error }, "a part of a page could not be read");
      const older = this.#kept.get(key);
      const fault = faultOf(error, late.signal.aborted);
      this.#kept.set(key, { value: older?.value, readAt: older?.readAt, fault, triedAt: clock.now() });
    } finally {
      enough.abort();
      await timer;
    }
  }

  async #patiently(loading: Promise<void>, waitMs: number): Promise<void> {
    if (waitMs === 0) return;
    const enough = new AbortController();
    const timer = this.#options.clock.wait(waitMs, enough.signal).catch(() => undefined);
    try {
      await Promise.race([loading, timer]);
    } finally {
      enough.abort();
    }
  }
}

function partOf<V>(kept: Kept<V> | undefined, isPending: boolean): Part<V> {
  return kept === undefined ? { ...EMPTY_PART, isPending } : { value: kept.value, readAt: kept.readAt, fault: kept.fault, isPending };
}

function faultOf(error: unknown, isLate: boolean): PartFault {
  if (error instanceof GatewayError) return { message: error.message, whatToDo: error.whatToDo, link: error.link };
  const { tooLate, unreadable } = portfolioTexts.faults;
  return { ...(isLate ? tooLate : unreadable), link: undefined };
}
