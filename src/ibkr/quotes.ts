import type { CallOptions } from "../broker/broker.ts";
import type { Instrument } from "../broker/instrument.ts";
import type { Quote } from "../broker/market-data.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import type { Log } from "../lib/log.ts";
import type { Api } from "./api.ts";
import type { Contracts } from "./contracts.ts";
import { toQuote } from "./endpoints/market-data.ts";
import type { LiveQuotes } from "./live-quotes.ts";
import { SharedReads } from "./shared-reads.ts";
import type { Snapshots } from "./snapshots.ts";

/** A polled quote is served from memory for at most one second. */
const KEPT = { maxEntries: 1000, ttlMs: 1000 };

export interface QuotesDeps {
  readonly api: Api;
  readonly contracts: Contracts;
  readonly snapshots: Snapshots;
  readonly log: Log;
  /** What the stream keeps current; without it, quotes are polled. */
  readonly live?: LiveQuotes | undefined;
}

/** Quotes: from the stream while it keeps them current, otherwise from a snapshot that all who ask for the contract share. */
export class Quotes {
  readonly #api: Api;
  readonly #contracts: Contracts;
  readonly #snapshots: Snapshots;
  readonly #live: LiveQuotes | undefined;
  readonly #log: Log;
  readonly #ended = new AbortController();
  readonly #kept: BoundedCache<number, Quote>;
  readonly #reads = new SharedReads<Quote>();

  constructor(deps: QuotesDeps) {
    this.#api = deps.api;
    this.#contracts = deps.contracts;
    this.#snapshots = deps.snapshots;
    this.#live = deps.live;
    this.#log = deps.log;
    this.#kept = new BoundedCache({ clock: deps.api.clock, ...KEPT });
    deps.live?.onGap((instruments) => this.#fillGaps(instruments));
  }

  /** One quote per known id, in the order asked. */
  quotes(conids: readonly number[], options: CallOptions): Promise<readonly Quote[]> {
    const wanted = conids.length === 1 ? conids : [...new Set(conids)];
    const quotes: Quote[] = [];
    this.#live?.use();
    for (const conid of wanted) {
      const kept = this.#live?.get(conid) ?? this.#kept.get(conid);
      if (kept === undefined) return this.#fetch(wanted, options);
      quotes.push(kept);
    }
    return Promise.resolve(quotes);
  }

  close(): void {
    this.#ended.abort();
  }

  async #fetch(conids: readonly number[], options: CallOptions): Promise<readonly Quote[]> {
    const instruments = await this.#contracts.instruments(conids, options);
    return await Promise.all(instruments.map((instrument) => this.#fresh(instrument, options)));
  }

  async #fresh(instrument: Instrument, options: CallOptions): Promise<Quote> {
    const kept = this.#live?.get(instrument.conid) ?? this.#kept.get(instrument.conid);
    return kept ?? (await this.#snapshot(instrument, options));
  }

  async #snapshot(instrument: Instrument, options: CallOptions): Promise<Quote> {
    return await this.#reads.run(String(instrument.conid), options, async (shared) => {
      const magnifier = await this.#contracts.magnifier(instrument, shared);
      await this.#contracts.primeMarketData(instrument, shared);
      const { generation } = this.#api.session;
      const row = await this.#snapshots.complete(instrument, shared);
      const quote = toQuote(row, { instrument, magnifier, now: this.#api.clock.now() });
      this.#kept.set(instrument.conid, quote);
      // A snapshot that spans two sessions is an answer, but no beginning for a stream of either.
      if (generation === this.#api.session.generation) this.#live?.watch({ instrument, magnifier }, row);
      return quote;
    });
  }

  /** A stream that opened anew may have missed changes: snapshots tell what they came to. */
  #fillGaps(instruments: readonly Instrument[]): void {
    const options: CallOptions = { signal: this.#ended.signal, caller: "session" };
    const filling = Promise.all(instruments.map((instrument) => this.#snapshot(instrument, options)));
    // What could not be filled is asked for by whoever wants it next.
    filling.catch((error: unknown) => this.#log.debug({ err: error }, "a gap in the quotes was not filled"));
  }
}
