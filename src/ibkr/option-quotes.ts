import type { CallOptions } from "../broker/broker.ts";
import type { Instrument } from "../broker/instrument.ts";
import type { OptionQuote } from "../broker/research.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Api } from "./api.ts";
import type { Contracts } from "./contracts.ts";
import { readSnapshot, type SnapshotRow } from "./endpoints/market-data.ts";
import { isCompleteOption, optionSnapshotRequest, toOptionQuote } from "./endpoints/options.ts";
import { SharedReads } from "./shared-reads.ts";
import type { Streams } from "./streams.ts";

/** One snapshot, and half of a user's market data lines. */
const MAX_CONIDS = 50;
/** A chain that is looked at again within this time is the same. */
const KEPT = { maxEntries: 1000, ttlMs: 2000 };
/** How long after IBKR's first answer we wait for Greeks, which come later than prices. */
const COMPLETION_LIMIT_MS = 3000;
const POLL_EVERY_MS = 400;
/** An option whose Greeks did not come isn't waited for again for this long. */
const INCOMPLETE = { maxEntries: 1000, ttlMs: 300_000 };

/** Quotes of options with implied volatility and Greeks, many in one snapshot. */
export class OptionQuotes {
  readonly #api: Api;
  readonly #contracts: Contracts;
  readonly #streams: Streams;
  readonly #kept: BoundedCache<number, OptionQuote>;
  readonly #incomplete: BoundedCache<number, true>;
  readonly #reads = new SharedReads<void>();

  constructor(deps: { readonly api: Api; readonly contracts: Contracts; readonly streams: Streams }) {
    const { clock } = deps.api;
    this.#api = deps.api;
    this.#contracts = deps.contracts;
    this.#streams = deps.streams;
    this.#kept = new BoundedCache({ clock, ...KEPT });
    this.#incomplete = new BoundedCache({ clock, ...INCOMPLETE });
  }

  /** One quote per known id, in the order asked. Throws `invalid_arguments` for over 50 ids and for one that is no option's. */
  async quotes(conids: readonly number[], options: CallOptions): Promise<readonly OptionQuote[]> {
    const wanted = [...new Set(conids)];
    if (wanted.length > MAX_CONIDS) throw invalid(`At most ${MAX_CONIDS} options can be quoted at once.`, "Ask for fewer strikes.");
    const instruments = await this.#contracts.instruments(wanted, options);
    const other = instruments.find(({ right, strike }) => right === undefined || strike === undefined);
    if (other !== undefined) throw invalid(`${other.symbol} (${other.conid}) is not an option.`, "Use get_quote for other instruments.");
    const found = new Map<number, OptionQuote>();
    const missing: Instrument[] = [];
    for (const instrument of instruments) {
      const kept = this.#kept.get(instrument.conid);
      if (kept === undefined) missing.push(instrument);
      else found.set(instrument.conid, kept);
    }
    if (missing.length > 0) {
      const key = missing.map(({ conid }) => conid).join(",");
      await this.#reads.run(key, options, (shared) => this.#load(missing, shared));
      for (const { conid } of missing) {
        const quote = this.#kept.get(conid);
        if (quote !== undefined) found.set(conid, quote);
      }
    }
    return instruments.flatMap(({ conid }) => found.get(conid) ?? []);
  }

  async #load(instruments: readonly Instrument[], options: CallOptions): Promise<void> {
    const rows = await this.#snapshot(instruments, options);
    const now = this.#api.clock.now();
    for (const instrument of instruments) {
      const magnifier = await this.#contracts.magnifier(instrument, options);
      const quote = toOptionQuote(rows.get(instrument.conid) ?? {}, { instrument, magnifier, now });
      if (quote !== undefined) this.#kept.set(instrument.conid, quote);
    }
  }

  /** Polls until everything has come, or three seconds have passed. */
  async #snapshot(instruments: readonly Instrument[], options: CallOptions): Promise<Map<number, SnapshotRow>> {
    const conids = instruments.map(({ conid }) => conid);
    for (const instrument of new Map(instruments.map((each) => [each.symbol, each])).values())
      await this.#contracts.primeMarketData(instrument, options);
    const rows = new Map<number, SnapshotRow>();
    let startedAt: number | undefined;
    for (;;) {
      await this.#streams.open(conids, options);
      const received = readSnapshot(await this.#api.read(optionSnapshotRequest(conids), options));
      const now = this.#api.clock.now();
      startedAt ??= now;
      for (const [conid, row] of received) rows.set(conid, { ...rows.get(conid), ...row });
      const waiting = conids.filter((conid) => !isCompleteOption(rows.get(conid) ?? {}));
      if (waiting.every((conid) => this.#incomplete.get(conid) === true)) return rows;
      if (now - startedAt >= COMPLETION_LIMIT_MS) {
        for (const conid of waiting) this.#incomplete.set(conid, true);
        return rows;
      }
      await this.#api.clock.wait(POLL_EVERY_MS, options.signal);
    }
  }
}

function invalid(message: string, whatToDo: string): GatewayError {
  return new GatewayError("invalid_arguments", message, { whatToDo });
}
