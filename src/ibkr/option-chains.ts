import type { CallOptions, OptionQuery } from "../broker/broker.ts";
import type { Instrument, OptionRight } from "../broker/instrument.ts";
import type { OptionContractsRequest, OptionExpiry, OptionStrikes } from "../broker/research.ts";
import { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Api } from "./api.ts";
import { failureOf } from "./api-failures.ts";
import type { Contracts } from "./contracts.ts";
import { optionMonth } from "./endpoints/codes.ts";
import * as wire from "./endpoints/contracts.ts";
import { toExpiries } from "./endpoints/options.ts";
import { readReply } from "./endpoints/reply.ts";
import { KeptReads } from "./kept-reads.ts";
import { SharedReads } from "./shared-reads.ts";

const HOUR_MS = 3_600_000;
/** New months and strikes are listed over night at most. */
const STRIKES = { maxEntries: 500, freshMs: HOUR_MS };
/** Contracts don't change; a new weekly expiry joins its month over night. Several windows of several months of a day's underlyings. */
const CONTRACTS = { maxEntries: 5000, freshMs: 6 * HOUR_MS };
/** IBKR is asked once for each strike and right: a window of thirty strikes, or two seconds of the pace that it allows. */
const MAX_LOOKUPS = 60;
/** Searches by name have to wait for these; between two lots they get their turn. */
const LOOKUPS_AT_ONCE = 20;

interface Lookup {
  readonly key: string;
  readonly underlying: Instrument;
  readonly month: string;
  readonly strike: Decimal;
  readonly right: OptionRight;
}

/** Option chains: months, strikes, contracts. IBKR answers about them only after a search for the underlying. */
export class OptionChains {
  readonly #api: Api;
  readonly #contracts: Contracts;
  readonly #strikes: KeptReads<OptionStrikes>;
  readonly #listed: KeptReads<readonly Instrument[]>;
  readonly #strikeReads = new SharedReads<OptionStrikes>();
  readonly #lookUps = new SharedReads<readonly Instrument[]>();

  constructor(api: Api, contracts: Contracts) {
    this.#api = api;
    this.#contracts = contracts;
    this.#strikes = new KeptReads({ clock: api.clock, ...STRIKES });
    this.#listed = new KeptReads({ clock: api.clock, ...CONTRACTS });
  }

  /** The months in which options expire, ascending. */
  async months(underlyingConid: number, options: CallOptions): Promise<readonly string[]> {
    const underlying = await this.#contracts.instrument(underlyingConid, options);
    return await this.#contracts.optionMonths(underlying, options);
  }

  /** The strikes of a month, ascending; none for a month without options. */
  async strikes(underlyingConid: number, month: string, options: CallOptions): Promise<OptionStrikes> {
    const wireMonth = readMonth(month);
    const underlying = await this.#contracts.instrument(underlyingConid, options);
    const kept = this.#strikes.fresh(`${underlyingConid} ${wireMonth}`);
    return kept ?? (await this.#contracts.withSearch(underlying, options, () => this.#strikesOf(underlying, wireMonth, options)));
  }

  /** The contracts of a month at some strikes, by day. */
  async contracts(request: OptionContractsRequest, options: CallOptions): Promise<readonly OptionExpiry[]> {
    const month = readMonth(request.month);
    const { strikes, rights } = request;
    if (strikes.length * rights.length > MAX_LOOKUPS)
      throw new GatewayError("invalid_arguments", `At most ${MAX_LOOKUPS} strikes and rights can be looked up at once.`, {
        whatToDo: "Ask for fewer strikes round the money.",
      });
    const underlying = await this.#contracts.instrument(request.underlyingConid, options);
    const wanted = new Map(
      strikes.flatMap((strike) =>
        rights.map((right): [string, Lookup] => {
          const key = `${underlying.conid} ${month} ${strike.toString()} ${right}`;
          return [key, { key, underlying, month, strike, right }];
        }),
      ),
    );
    const found = [...wanted.keys()].flatMap((key) => this.#listed.fresh(key) ?? []);
    const missing = [...wanted.values()].filter(({ key }) => this.#listed.fresh(key) === undefined);
    for (let start = 0; start < missing.length; start += LOOKUPS_AT_ONCE) {
      const part = missing.slice(start, start + LOOKUPS_AT_ONCE);
      const looked = await this.#contracts.withSearch(underlying, options, () => this.#lookUpListed(part, options));
      found.push(...looked);
    }
    return toExpiries(found);
  }

  /** The contracts of one month, strike and right: one for each day of that month. */
  async options(underlyingConid: number, query: OptionQuery, options: CallOptions): Promise<readonly Instrument[]> {
    const strike = Decimal.tryParsePlain(query.strike);
    if (strike === undefined) throw malformed();
    const request = { underlyingConid, month: query.month, strikes: [strike], rights: [query.right] };
    return (await this.contracts(request, options)).flatMap(({ contracts }) => contracts);
  }

  async #strikesOf(underlying: Instrument, month: string, options: CallOptions): Promise<OptionStrikes> {
    const key = `${underlying.conid} ${month}`;
    const kept = this.#strikes.fresh(key);
    if (kept !== undefined) return kept;
    return await this.#strikeReads.run(key, options, async (shared) => {
      const body = await this.#api.read(wire.strikesRequest(underlying.conid, month), shared);
      const reply = readReply(wire.strikesReply, body, "the strikes");
      const strikes = { calls: ascending(reply.call), puts: ascending(reply.put) };
      // An empty list may also mean that the session was lost after the search.
      if (strikes.calls.length + strikes.puts.length > 0) this.#strikes.keep(key, strikes);
      return strikes;
    });
  }

  async #lookUpListed(lookups: readonly Lookup[], options: CallOptions): Promise<readonly Instrument[]> {
    const [first] = lookups;
    if (first === undefined) return [];
    const listed = await this.#strikesOf(first.underlying, first.month, options);
    const isListed = ({ right, strike }: Lookup) => (right === "C" ? listed.calls : listed.puts).some((each) => each.equals(strike));
    return (await Promise.all(lookups.filter(isListed).map((lookup) => this.#lookUp(lookup, options)))).flat();
  }

  /** Another caller may have looked it up while this one waited for the turn, or does so now. */
  async #lookUp(lookup: Lookup, options: CallOptions): Promise<readonly Instrument[]> {
    const kept = this.#listed.fresh(lookup.key);
    return kept ?? (await this.#lookUps.run(lookup.key, options, (shared) => this.#ask(lookup, shared)));
  }

  async #ask({ key, underlying, month, strike, right }: Lookup, options: CallOptions): Promise<readonly Instrument[]> {
    const request = wire.optionInfoRequest(underlying.conid, { month, strike: strike.toString(), right });
    const answer = await this.#api.answer(request, options);
    // For a strike that it does not list, IBKR answers an empty list or an error, by build.
    if (answer.status === 400 || answer.status === 500) return [];
    const failure = failureOf(answer);
    if (failure !== undefined) throw failure;
    const contracts = readReply(wire.optionInfoReply, answer.body, "the option").flatMap((row) => wire.toOption(row, underlying) ?? []);
    if (contracts.length > 0) this.#listed.keep(key, contracts);
    this.#contracts.remember(contracts);
    return contracts;
  }
}

function ascending(strikes: readonly (Decimal | undefined)[]): Decimal[] {
  return strikes.filter((strike) => strike !== undefined).toSorted((a, b) => a.compare(b));
}

function readMonth(month: string): string {
  const written = optionMonth(month);
  if (written === undefined) throw malformed();
  return written;
}

function malformed(): GatewayError {
  return new GatewayError("invalid_arguments", "An option needs a month like 2027-01 and a strike in digits.", {
    whatToDo: "Correct month or strike.",
  });
}
