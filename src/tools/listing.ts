import type { Instrument } from "../broker/instrument.ts";

/** What a listing is chosen for: orders ask for more certainty than reads. */
export type ListingPurpose = "read" | "order";

/** Exchanges of the United States as IBKR names them as a primary listing. */
const US_EXCHANGES = new Set(["NASDAQ", "NYSE", "ARCA", "AMEX", "BATS", "IEX", "ISLAND", "PINK", "OTCLNKECN", "CBOE", "BEX", "LTSE"]);
/** Words that mark a receipt for shares of the company, which is a security of its own. */
const RECEIPT = /\b(?:ADR|ADS|CDR|GDR|DRC|BDR|SPON|SPONSORED|CEDEAR|CAD HEDGED)\b/;
/** Legal forms that data vendors write or leave out as they like. */
const LEGAL_FORM = /\b(?:INC|CORP|CORPORATION|CO|COMPANY|PLC|LTD|LIMITED|SA|AG|NV|SE|THE)\b/g;

/**
 * Picks the one listing that a person means by a bare ticker, or answers undefined when that isn't plain.
 * The rule: all listings are of one company by name, and exactly one of them is on an exchange of the United States in
 * US dollars; the others are its cross-listings abroad. Another company under the same ticker, or no US listing, is for
 * the caller to decide. An order asks for two things more: no other listing is in US dollars, and the chosen one isn't a
 * receipt (ADR) of a company whose shares are listed under the same ticker elsewhere.
 */
export function plainListing(listings: readonly Instrument[], purpose: ListingPurpose): Instrument | undefined {
  const [first] = listings;
  if (listings.length <= 1) return first;
  const companies = new Set(listings.map((listing) => companyOf(listing)));
  if (companies.size !== 1 || companies.has(undefined)) return undefined;
  const inUs = listings.filter(isUsListing);
  const [chosen] = inUs;
  if (chosen === undefined || inUs.length !== 1) return undefined;
  if (purpose === "read") return chosen;
  const others = listings.filter((listing) => listing.conid !== chosen.conid);
  const receiptOfOthers = isReceipt(chosen) && others.some((listing) => !isReceipt(listing));
  return receiptOfOthers || others.some((listing) => listing.currency === "USD") ? undefined : chosen;
}

/** True for a listing in US dollars on an exchange of the United States. */
export function isUsListing(listing: Instrument): boolean {
  return listing.currency === "USD" && US_EXCHANGES.has(exchangeOf(listing) ?? "");
}

/** The exchange without its segment: `NASDAQ.NMS` is `NASDAQ`. */
export function exchangeOf(listing: { readonly exchange: string | undefined }): string | undefined {
  return listing.exchange?.toUpperCase().split(".")[0];
}

function isReceipt(listing: Instrument): boolean {
  return RECEIPT.test(wordsOf(listing.name ?? ""));
}

function companyOf(listing: Instrument): string | undefined {
  if (listing.name === undefined) return undefined;
  const words = wordsOf(listing.name);
  const receiptAt = words.search(RECEIPT);
  const company = (receiptAt > 0 ? words.slice(0, receiptAt) : words).replaceAll(LEGAL_FORM, " ").replaceAll(/\s+/g, " ").trim();
  return company === "" ? words : company;
}

function wordsOf(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, " ")
    .trim();
}
