import type { Instrument, SecType } from "../broker/instrument.ts";
import { GatewayError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { ToolContext } from "../mcp/define-tool.ts";
import { toJson } from "./envelope.ts";
import { optionalChoice, optionalConid, optionalText } from "./fields.ts";
import { exchangeOf, isUsListing, plainListing } from "./listing.ts";
import type { ListingPurpose } from "./listing.ts";
import { parseCurrencyPair, parseOptionWords } from "./option-words.ts";
import type { OptionWords } from "./option-words.ts";

/** Most candidates named in an error. */
const MAX_CANDIDATES = 5;
/** Most search hits looked at for a symbol that isn't a stock. */
const MAX_HITS = 20;

const SEC_TYPES = ["STK", "OPT", "FUT", "FOP", "CASH", "IND", "BOND", "FUND", "WAR", "CFD", "CRYPTO", "CMDTY"] as const;

/** The optional kind of security, by IBKR's code or by the word for it. */
export const secTypeField = optionalChoice<SecType>({
  values: SEC_TYPES,
  synonyms: {
    ETF: "STK",
    STOCK: "STK",
    EQUITY: "STK",
    OPTION: "OPT",
    FUTURE: "FUT",
    FX: "CASH",
    FOREX: "CASH",
    INDEX: "IND",
    CURRENCY: "CASH",
  },
});

/** The arguments that name one contract. */
export const contractFields = {
  conid: optionalConid("IBKR contract id"),
  symbol: optionalText('Instead of conid: ticker, "AAPL 2027-01-15 200 C" or "EUR.USD"', 60),
  exchange: optionalText(undefined, 20),
  currency: optionalText(undefined, 3),
  sec_type: secTypeField,
};

/** What a caller said about a contract. */
export interface ContractArguments {
  readonly conid?: number | undefined;
  readonly symbol?: string | undefined;
  readonly exchange?: string | undefined;
  readonly currency?: string | undefined;
  readonly sec_type?: SecType | undefined;
}

/** True when the arguments name a contract at all. */
export function namesContract(args: ContractArguments): boolean {
  return args.conid !== undefined || args.symbol !== undefined;
}

/**
 * Finds the one contract that is meant. Throws `ambiguous_contract` with at most five candidates, `contract_not_found`,
 * or `invalid_arguments`; it never guesses between different securities.
 */
export async function resolveContract(context: ToolContext, args: ContractArguments, purpose: ListingPurpose): Promise<Instrument> {
  if (args.conid !== undefined) return byConid(context, args.conid, args);
  const { symbol } = args;
  if (symbol === undefined) {
    throw new GatewayError("invalid_arguments", "No contract was named.", { whatToDo: "Send conid, or symbol such as AAPL." });
  }
  const option = parseOptionWords(symbol);
  if (option !== undefined) return byOptionWords(context, args, option);
  if (args.sec_type === "OPT" || args.sec_type === "FOP" || args.sec_type === "FUT") throw needsFullName(args.sec_type);
  if (parseCurrencyPair(symbol) === undefined && (args.sec_type ?? "STK") === "STK") {
    const listings = matching(await context.broker.stocks(symbol.toUpperCase(), context.call), args);
    const chosen = plainListing(listings, purpose);
    if (chosen !== undefined) return chosen;
    if (listings.length > 0) throw ambiguous(symbol, listings);
  }
  return bySearch(context, symbol, args);
}

async function byConid(context: ToolContext, conid: number, args: ContractArguments): Promise<Instrument> {
  const [found] = await context.broker.instruments([conid], context.call);
  if (found === undefined) {
    throw new GatewayError("contract_not_found", `IBKR knows no contract ${conid}.`, {
      whatToDo: "Find the contract id with search_security.",
    });
  }
  const symbolDiffers = args.symbol !== undefined && !samePlainSymbol(found, args.symbol);
  if (symbolDiffers || matching([found], args).length === 0) {
    throw new GatewayError("invalid_arguments", `Contract ${conid} is ${describe(found)}, which differs from the other arguments.`, {
      whatToDo: "Send conid alone, or symbol without conid.",
      details: { candidates: [candidateOf(found)] },
    });
  }
  return found;
}

function samePlainSymbol(found: Instrument, symbol: string): boolean {
  // An option's or a pair's words are not compared: the conid says more than they do. A stock's may be written `BRK B` or `BRK.B`.
  const isWords = parseOptionWords(symbol) !== undefined || parseCurrencyPair(symbol) !== undefined;
  return (isWords && found.secType !== "STK") || plainSymbol(found.symbol) === plainSymbol(symbol);
}

function plainSymbol(symbol: string): string {
  return symbol
    .toUpperCase()
    .replaceAll(/[\s./]+/g, " ")
    .trim();
}

function needsFullName(secType: SecType): GatewayError {
  return new GatewayError("not_supported", `A symbol alone doesn't name a contract of type ${secType}.`, {
    whatToDo: 'Send conid, or for an option its words, such as "AAPL 2027-01-15 200 C".',
  });
}

async function byOptionWords(context: ToolContext, args: ContractArguments, option: OptionWords): Promise<Instrument> {
  const underlying = await resolveContract(
    context,
    { symbol: option.underlying, currency: args.currency, exchange: args.exchange },
    "read",
  );
  const query = { month: option.expiry.slice(0, 7), strike: option.strike.toString(), right: option.right };
  const inMonth = await context.broker.options(underlying.conid, query, context.call);
  const found = inMonth.filter((contract) => contract.expiry === option.expiry);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (found.length > 1) throw ambiguous(args.symbol ?? option.underlying, found);
  throw new GatewayError("contract_not_found", `There is no option ${args.symbol ?? option.underlying}.`, {
    whatToDo: inMonth.length > 0 ? "Use one of the candidates, or another strike or month." : "Try another strike or expiry month.",
    details: { candidates: inMonth.slice(0, MAX_CANDIDATES).map(candidateOf) },
  });
}

async function bySearch(context: ToolContext, symbol: string, args: ContractArguments): Promise<Instrument> {
  const wanted = symbol.toUpperCase().replace("/", ".");
  const hits = (await context.broker.search(wanted, context.call)).slice(0, MAX_HITS);
  const pair = parseCurrencyPair(symbol);
  const found = matching(await context.broker.instruments([...new Set(hits.map((hit) => hit.conid))], context.call), args);
  const exact = found.filter((instrument) =>
    pair === undefined
      ? instrument.symbol.toUpperCase() === wanted
      : instrument.secType === "CASH" &&
        (instrument.symbol.toUpperCase() === wanted ||
          (instrument.symbol.toUpperCase() === pair.base && instrument.currency === pair.quote)),
  );
  const [only] = exact;
  if (only !== undefined && exact.length === 1) return only;
  if (exact.length > 1) throw ambiguous(symbol, exact);
  throw new GatewayError("contract_not_found", `No contract is called ${symbol}${filtersOf(args)}.`, {
    whatToDo: found.length > 0 ? "Send the conid of the candidate that is meant, or call search_security." : "Call search_security.",
    details: { candidates: found.slice(0, MAX_CANDIDATES).map(candidateOf) },
  });
}

function matching(instruments: readonly Instrument[], args: ContractArguments): readonly Instrument[] {
  const exchange = args.exchange?.toUpperCase();
  const currency = args.currency?.toUpperCase();
  return instruments.filter(
    (instrument) =>
      // SMART is a route, not a listing: it says nothing about which contract is meant.
      (exchange === undefined || exchange === "SMART" || exchangeOf({ exchange }) === exchangeOf(instrument)) &&
      (currency === undefined || instrument.currency === currency) &&
      (args.sec_type === undefined || instrument.secType === args.sec_type),
  );
}

function filtersOf(args: ContractArguments): string {
  const filters = [args.sec_type, args.exchange, args.currency].filter((filter) => filter !== undefined);
  return filters.length === 0 ? "" : ` (${filters.join(", ")})`;
}

function ambiguous(symbol: string, found: readonly Instrument[]): GatewayError {
  const ordered = found.toSorted((a, b) => Number(isUsListing(b)) - Number(isUsListing(a)));
  const shown = ordered.slice(0, MAX_CANDIDATES);
  const [first] = shown;
  const more = found.length > shown.length ? `, of which ${shown.length} are shown` : "";
  return new GatewayError("ambiguous_contract", `${symbol} names ${found.length} contracts${more}.`, {
    whatToDo: `Ask which is meant and send its conid, such as {"conid":${first?.conid ?? 0}}, or symbol with exchange or currency.`,
    details: { candidates: shown.map(candidateOf) },
  });
}

function candidateOf(instrument: Instrument): JsonObject {
  return toJson({ ...contractRow(instrument), name: instrument.name });
}

/** The fields that name a contract in an answer. */
export function contractRow(instrument: Instrument) {
  return {
    conid: instrument.conid,
    symbol: instrument.symbol,
    sec_type: instrument.secType,
    exchange: instrument.exchange,
    currency: instrument.currency,
    expiry: instrument.expiry,
    strike: instrument.strike,
    right: instrument.right,
  };
}

/** A contract in a few words for people: `AAPL (NASDAQ, USD)`. */
export function describe(instrument: Instrument): string {
  const { symbol, secType, expiry, strike, right, exchange, currency } = instrument;
  if (secType === "CASH" && !symbol.includes(".")) return `${symbol}.${currency}`;
  const name = expiry === undefined || right === undefined ? symbol : `${symbol} ${expiry} ${strike?.toString() ?? ""} ${right}`;
  return `${name} (${[exchange, currency].filter((part) => part !== undefined).join(", ")})`;
}
