import type { z } from "zod";

import type { CallOptions } from "../broker/broker.ts";
import type { Instrument, SecType, SecurityMatch } from "../broker/instrument.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import type { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Api } from "./api.ts";
import { failureOf } from "./api-failures.ts";
import * as wire from "./endpoints/contracts.ts";
import { readReply } from "./endpoints/reply.ts";
import { SearchTurns } from "./search-turns.ts";
import { SharedReads } from "./shared-reads.ts";

const HOUR_MS = 3_600_000;
/** A contract hardly ever changes; several thousand are more than one user looks at in a day. */
const INSTRUMENTS = { maxEntries: 5000, ttlMs: 6 * HOUR_MS };
const RULES = { maxEntries: 2000, ttlMs: HOUR_MS };
/** Listings and searches: the same few names are asked again and again in a conversation. */
const SEARCHES = { maxEntries: 500, ttlMs: HOUR_MS / 6 };
/** A new month of options is listed over night. */
const MONTHS = { maxEntries: 1000, ttlMs: HOUR_MS };
/** Currencies in which some exchanges quote hundredths: pence, cents, agorot. */
const MAGNIFIED_CURRENCIES: ReadonlySet<string> = new Set(["GBP", "ZAR", "ILS"]);
/** Futures quote hundredths in any currency: cents per bushel. */
const MAGNIFIED_TYPES: ReadonlySet<SecType> = new Set<SecType>(["FUT", "FOP"]);
const DERIVATIVES: ReadonlySet<SecType> = new Set<SecType>(["OPT", "FUT", "FOP", "WAR"]);

/** The security master: what contracts are, and what IBKR takes in orders for them. Answers are kept for hours. */
export class Contracts {
  readonly #api: Api;
  readonly #instruments: BoundedCache<number, Instrument>;
  readonly #rules: BoundedCache<number, wire.ContractRules>;
  readonly #stocks: BoundedCache<string, readonly Instrument[]>;
  readonly #searches: BoundedCache<string, readonly SecurityMatch[]>;
  readonly #months: BoundedCache<number, readonly string[]>;
  readonly #instrumentReads = new SharedReads<void>();
  readonly #ruleReads = new SharedReads<wire.ContractRules>();
  readonly #stockReads = new SharedReads<readonly Instrument[]>();
  readonly #searchReads = new SharedReads<readonly SecurityMatch[]>();
  /** Hits by symbol alone: what a search for an option's underlying found serves a later search, too. */
  readonly #hits: BoundedCache<string, readonly SecurityMatch[]>;
  readonly #symbolReads = new SharedReads<readonly SecurityMatch[]>();
  /** A search by name undoes the priming that option look-ups need, so the two take turns. */
  readonly #turns: SearchTurns;
  /** Symbols that were found in this session, in upper case. */
  readonly #searched = new SessionSymbols();
  /** Those of them that no search by name came after. */
  readonly #opened = new SessionSymbols();

  constructor(api: Api) {
    const { clock } = api;
    this.#api = api;
    this.#instruments = new BoundedCache({ clock, ...INSTRUMENTS });
    this.#rules = new BoundedCache({ clock, ...RULES });
    this.#stocks = new BoundedCache({ clock, ...SEARCHES });
    this.#searches = new BoundedCache({ clock, ...SEARCHES });
    this.#months = new BoundedCache({ clock, ...MONTHS });
    this.#hits = new BoundedCache({ clock, ...SEARCHES });
    this.#turns = new SearchTurns(clock);
  }

  /** The instruments with these ids, in this order; unknown ids are left out. */
  async instruments(conids: readonly number[], options: CallOptions): Promise<readonly Instrument[]> {
    const wanted = [...new Set(conids)].filter((conid) => Number.isSafeInteger(conid) && conid > 0);
    const found = new Map<number, Instrument>();
    const missing: number[] = [];
    for (const conid of wanted) {
      const known = this.#instruments.get(conid);
      if (known === undefined) missing.push(conid);
      else found.set(conid, known);
    }
    for (let start = 0; start < missing.length; start += wire.MAX_SECDEF_CONIDS) {
      const part = missing.slice(start, start + wire.MAX_SECDEF_CONIDS);
      await this.#instrumentReads.run(part.join(","), options, (shared) => this.#loadInstruments(part, shared));
    }
    for (const conid of missing) {
      const loaded = this.#instruments.get(conid);
      if (loaded !== undefined) found.set(conid, loaded);
    }
    return wanted.flatMap((conid) => found.get(conid) ?? []);
  }

  /** One instrument. Throws `contract_not_found`. */
  async instrument(conid: number, options: CallOptions): Promise<Instrument> {
    const [instrument] = await this.instruments([conid], options);
    if (instrument !== undefined) return instrument;
    throw new GatewayError("contract_not_found", `IBKR has no contract with the id ${conid}.`, {
      whatToDo: "Find the contract with search_security.",
    });
  }

  async rules(conid: number, options: CallOptions): Promise<wire.ContractRules> {
    const known = this.#rules.get(conid);
    if (known !== undefined) return known;
    return await this.#ruleReads.run(String(conid), options, async (shared) => {
      const reply = readReply(wire.rulesReply, await this.#api.read(wire.rulesRequest(conid), shared), "the contract's rules");
      const rules = wire.toRules(conid, reply);
      this.#rules.set(conid, rules);
      return rules;
    });
  }

  /** By what an instrument's quoted prices exceed its currency; undefined where they don't. IBKR is asked only where it may be so. */
  async magnifier(instrument: Instrument, options: CallOptions): Promise<Decimal | undefined> {
    const { currency, secType } = instrument;
    const mayBe = MAGNIFIED_TYPES.has(secType) || (MAGNIFIED_CURRENCIES.has(currency) && secType !== "CASH");
    return mayBe ? (await this.rules(instrument.conid, options)).magnifier : undefined;
  }

  /** All listings of a ticker. */
  async stocks(symbol: string, options: CallOptions): Promise<readonly Instrument[]> {
    const ticker = symbol.trim().toUpperCase();
    const known = this.#stocks.get(ticker);
    if (known !== undefined) return known;
    return await this.#stockReads.run(ticker, options, async (shared) => {
      const reply = readReply(wire.stocksReply, await this.#api.read(wire.stocksRequest(ticker), shared), "the listings");
      const conids = (reply[ticker] ?? []).flatMap((row) => row.contracts.flatMap((contract) => contract.conid ?? []));
      const instruments = await this.instruments(conids.slice(0, wire.MAX_SECDEF_CONIDS), shared);
      const stocks = instruments.filter((instrument) => instrument.secType === "STK");
      this.#stocks.set(ticker, stocks);
      return stocks;
    });
  }

  /** Searches by ticker, then by company name; hits of both, each once. */
  async search(query: string, options: CallOptions): Promise<readonly SecurityMatch[]> {
    const text = query.trim();
    const key = text.toUpperCase();
    const known = this.#searches.get(key);
    if (known !== undefined) return known;
    return await this.#searchReads.run(key, options, async (shared) => {
      const byTicker = this.#hits.get(key) ?? (await this.#findSymbol(text, shared));
      const byName = await this.#turns.run("name", shared, () => this.#findName(text, shared));
      const unique = new Map([...byName, ...byTicker].map((match) => [match.conid, match]));
      const matches = [...new Set([...byTicker, ...byName].map((match) => match.conid))].flatMap((conid) => unique.get(conid) ?? []);
      this.#searches.set(key, matches);
      return matches;
    });
  }

  /** The months in which options on an underlying expire, ascending, as a search for it tells them. */
  async optionMonths(underlying: Instrument, options: CallOptions): Promise<readonly string[]> {
    const known = this.#months.get(underlying.conid);
    if (known !== undefined) return known;
    await this.#findSymbol(underlying.symbol, options);
    return this.#months.get(underlying.conid) ?? [];
  }

  /** Runs reads that IBKR answers only after a search for the underlying in this session; again, where the session was lost meanwhile. */
  async withSearch<T>(underlying: Instrument, options: CallOptions, read: () => Promise<T>): Promise<T> {
    return await this.#turns.run("symbol", options, async () => {
      for (let isFirst = true; ; isFirst = false) {
        options.signal.throwIfAborted();
        await this.#api.session.ready(options.signal);
        if (!this.#opened.has(underlying.symbol, this.#api.session.generation)) await this.#open(underlying.symbol, options);
        const { generation } = this.#api.session;
        const result = await read();
        if (generation === this.#api.session.generation || !isFirst) return result;
      }
    });
  }

  /** Keeps contracts that were learned of by another way. */
  remember(contracts: readonly Instrument[]): void {
    for (const contract of contracts)
      if (this.#instruments.get(contract.conid) === undefined) this.#instruments.set(contract.conid, contract);
  }

  /** Does what IBKR wants before it sends market data of a derivative: a search for its symbol in this session. */
  async primeMarketData(instrument: Instrument, options: CallOptions): Promise<void> {
    if (!DERIVATIVES.has(instrument.secType)) return;
    await this.#api.session.ready(options.signal);
    if (this.#searched.has(instrument.symbol, this.#api.session.generation)) return;
    await this.#findSymbol(instrument.symbol, options);
  }

  async #loadInstruments(conids: readonly number[], options: CallOptions): Promise<void> {
    const reply = readReply(wire.secdefReply, await this.#api.read(wire.secdefRequest(conids), options), "the contracts");
    for (const row of reply.secdef) {
      const instrument = wire.toInstrument(row);
      if (instrument !== undefined) this.#instruments.set(instrument.conid, instrument);
    }
  }

  /** Searches by symbol in a turn of its own. */
  async #findSymbol(symbol: string, options: CallOptions): Promise<readonly SecurityMatch[]> {
    return await this.#turns.run("symbol", options, () => this.#open(symbol, options));
  }

  /** Searches by symbol, once for all who want it now. To be called in a turn for searches by symbol. */
  async #open(symbol: string, options: CallOptions): Promise<readonly SecurityMatch[]> {
    const key = symbol.toUpperCase();
    return await this.#symbolReads.run(key, options, async (shared) => {
      const rows = await this.#ask(symbol, false, shared);
      const { generation } = this.#api.session;
      this.#searched.add(symbol, generation);
      this.#opened.add(symbol, generation);
      const hits = rows.flatMap((row) => {
        const match = wire.toMatch(row);
        if (match !== undefined) this.#months.set(match.conid, wire.optionMonthsOf(row));
        return match ?? [];
      });
      this.#hits.set(key, hits);
      return hits;
    });
  }

  /** To be called in a turn for searches by name. */
  async #findName(name: string, options: CallOptions): Promise<readonly SecurityMatch[]> {
    this.#opened.clear();
    return (await this.#ask(name, true, options)).flatMap((row) => wire.toMatch(row) ?? []);
  }

  async #ask(query: string, byName: boolean, options: CallOptions): Promise<z.output<typeof wire.searchReply>> {
    const answer = await this.#api.answer(wire.searchRequest(query, byName), options);
    const failure = failureOf(answer);
    // Older builds say "No symbol found" where newer ones answer an empty list; a query that IBKR can't read finds nothing either.
    if (failure?.code === "broker_rejected" || /no symbol found/i.test(failure?.message ?? "")) return [];
    if (failure !== undefined) throw failure;
    return readReply(wire.searchReply, answer.body, "the search");
  }
}

/** Symbols of one session; those of an earlier one are forgotten. */
class SessionSymbols {
  #generation = -1;
  readonly #symbols = new Set<string>();

  has(symbol: string, generation: number): boolean {
    return this.#generation === generation && this.#symbols.has(symbol.toUpperCase());
  }

  add(symbol: string, generation: number): void {
    if (this.#generation !== generation || this.#symbols.size >= SEARCHES.maxEntries) this.#symbols.clear();
    this.#generation = generation;
    this.#symbols.add(symbol.toUpperCase());
  }

  clear(): void {
    this.#symbols.clear();
  }
}
