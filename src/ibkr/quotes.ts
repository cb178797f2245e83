import type { CallOptions } from "../broker/broker.ts";
import type { Instrument } from "../broker/instrument.ts";
import type { Quote } from "../broker/market-data.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import type { Api } from "./api.ts";
import type { Contracts } from "./contracts.ts";
import { toQuote } from "./endpoints/market-data.ts";
import { SharedReads } from "./shared-reads.ts";
import type { Snapshots } from "./snapshots.ts";

/** A quote is served from memory for at most one second. */
const KEPT = { maxEntries: 1000, ttlMs: 1000 };

/** Quotes: from memory while they are fresh, otherwise from a snapshot that all who ask for the contract share. */
export class Quotes {
  readonly #api: Api;
  readonly #contracts: Contracts;
  readonly #snapshots: Snapshots;
  readonly #kept: BoundedCache<number, Quote>;
  readonly #reads = new SharedReads<Quote>();

  constructor(deps: { readonly api: Api; readonly contracts: Contracts; readonly snapshots: Snapshots }) {
    this.#api = deps.api;
    this.#contracts = deps.contracts;
    this.#snapshots = deps.snapshots;
    this.#kept = new BoundedCache({ clock: deps.api.clock, ...KEPT });
  }

  /** One quote per known id, in the order asked. */
  quotes(conids: readonly number[], options: CallOptions): Promise<readonly Quote[]> {
    const wanted = conids.length === 1 ? conids : [...new Set(conids)];
    const quotes: Quote[] = [];
    for (const conid of wanted) {
      const kept = this.#kept.get(conid);
      if (kept === undefined) return this.#fetch(wanted, options);
      quotes.push(kept);
    }
    return Promise.resolve(quotes);
  }

  async #fetch(conids: readonly number[], options: CallOptions): Promise<readonly Quote[]> {
    const instruments = await this.#contracts.instruments(conids, options);
    return await Promise.all(instruments.map((instrument) => this.#fresh(instrument, options)));
  }

  async #fresh(instrument: Instrument, options: CallOptions): Promise<Quote> {
    const kept = this.#kept.get(instrument.conid);
    if (kept !== undefined) return kept;
    return await this.#reads.run(String(instrument.conid), options, async (shared) => {
      const magnifier = await this.#contracts.magnifier(instrument, shared);
      await this.#contracts.primeMarketData(instrument, shared);
      const row = await this.#snapshots.complete(instrument, shared);
      const quote = toQuote(row, { instrument, magnifier, now: this.#api.clock.now() });
      this.#kept.set(instrument.conid, quote);
      return quote;
    });
  }
}
