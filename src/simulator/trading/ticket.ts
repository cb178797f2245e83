import { Decimal } from "../../lib/decimal.ts";
import { isRecord } from "../../lib/json.ts";
import { failure, refusal } from "../http/route.ts";
import type { SimReply } from "../http/route.ts";
import type { Market, SimInstrument } from "../market/market.ts";
import { sharesForCash } from "./cash-quantity.ts";
import type { OrderKind, Side, Ticket, Tif, Trail } from "./records.ts";

/** Wire names of the order types that the simulator takes; `STP_LIMIT` is an old name that IBKR still reads. */
const KINDS: Readonly<Record<string, OrderKind>> = {
  MKT: "MKT",
  LMT: "LMT",
  STP: "STP",
  STOP_LIMIT: "STOP_LIMIT",
  STP_LIMIT: "STOP_LIMIT",
  TRAIL: "TRAIL",
  TRAILLMT: "TRAILLMT",
  MIT: "MIT",
  LIT: "LIT",
  MOC: "MOC",
  LOC: "LOC",
  MIDPRICE: "MIDPRICE",
};
/** Order types that IBKR has and the simulator doesn't. */
const OTHER_KINDS = new Set(["REL"]);
const TIFS: Readonly<Record<string, Tif>> = { DAY: "DAY", GTC: "GTC", IOC: "IOC", OPG: "OPG", GTD: "GTD" };
/** Fields that ask for something the simulator doesn't do; leaving them unheard would place another order than was meant. */
const UNSUPPORTED = ["fxQty", "isCcyConv", "strategy", "useAdaptive", "allOrNone", "deactivated"];
const NUMBERS = ["quantity", "price", "auxPrice", "trailingAmt", "cashQty"] as const;
const BOOLEANS = ["outsideRTH", "useAdaptive", "allOrNone", "deactivated", "isSingleGroup"] as const;
const INCORRECT_TYPE = "orders request includes parameter with incorrect type";

/** A ticket that can be read, with its instrument and what it says of a set that it belongs to. */
export interface GoodTicket {
  readonly ticket: Ticket;
  readonly instrument: SimInstrument;
  /** The `cOID` or the order id of its parent. */
  readonly parentRef: string | undefined;
  readonly isSingleGroup: boolean;
}

/** A ticket that can be read, or what to answer to one that can't. */
export type ReadTicket = GoodTicket | { readonly reply: SimReply };

/** What a ticket is read against. */
export interface TicketContext {
  /** The account of the path; a ticket that names another is refused. */
  readonly accountId: string;
  readonly market: Market;
  readonly now: number;
}

/**
 * Reads one order ticket (reference F.1). For a stop, trailing stop or market-if-touched order the stop is in `price`, for
 * those with a limit in `auxPrice`. A GTD order says until when in `goodTillDate`, `YYYYMMDD-HH:mm:ss` UTC: a field of our
 * choice, since the reference names none.
 */
export function readTicket(raw: unknown, context: TicketContext): ReadTicket {
  const { accountId, market } = context;
  if (!isRecord(raw) || !typesFit(raw)) return wrong(INCORRECT_TYPE);
  if (raw["acctId"] !== undefined && raw["acctId"] !== accountId)
    return wrong(`Bad Request: accountId is not valid: ${textOf(raw["acctId"]) ?? ""}`);
  const conid = conidOf(raw);
  if (conid === undefined) return wrong("conid or conidex is required");
  const side = sideOf(raw["side"]);
  if (side === undefined) return wrong("Invalid Side (must be 'BUY' or 'SELL').");
  const kindName = textOf(raw["orderType"])?.toUpperCase() ?? "";
  const kind = KINDS[kindName];
  if (kind === undefined && !OTHER_KINDS.has(kindName)) return wrong("Unknown order type");
  if (kind === undefined) return refused(`Order type ${kindName} is not supported for this instrument.`);
  const tif = TIFS[textOf(raw["tif"])?.toUpperCase() ?? ""];
  if (tif === undefined) return refused(`${textOf(raw["tif"]) ?? "null"} time in force is not supported for this order`);
  const instrument = instrumentOf(market, conid, raw["conidex"]);
  if (instrument === undefined) return refused(`no sec defs returned for ${textOf(raw["conidex"]) ?? conid}`);
  const unsupported = UNSUPPORTED.find((field) => raw[field] !== undefined && raw[field] !== null && raw[field] !== false);
  if (unsupported !== undefined) return refused(`invalid order attribute : ${unsupported} is not supported`);
  const prices = pricesOf(kind, decimalOf(raw["price"]), decimalOf(raw["auxPrice"]));
  const trail = trailOf(kind, raw);
  if (prices === undefined || trail === "invalid") return refused("Invalid order price fields");
  const size = sizeOf(raw, { side, kind, conid, ...prices }, { ...context, instrument });
  if ("reply" in size) return size;
  const goodTill = tif === "GTD" ? instantOf(raw["goodTillDate"]) : undefined;
  const clientOrderId = textOf(raw["cOID"]);
  const terms = { accountId, conid, side, kind, ...prices, tif, outsideRth: raw["outsideRTH"] === true, clientOrderId };
  const ticket = { ...terms, ...size, ...(trail === undefined ? {} : { trail }), ...(goodTill === undefined ? {} : { goodTill }) };
  return { ticket, instrument, parentRef: parentOf(raw["parentId"]), isSingleGroup: raw["isSingleGroup"] === true };
}

type Size = Pick<Ticket, "quantity" | "cashQuantity"> | { readonly reply: SimReply };
type SizedTerms = Pick<Ticket, "side" | "kind" | "conid" | "limitPrice" | "stopPrice">;

/** The quantity: as it stands, or as many whole shares (units of a currency) as the money of `cashQty` buys. */
function sizeOf(raw: Readonly<Record<string, unknown>>, terms: SizedTerms, context: TicketContext & { instrument: SimInstrument }): Size {
  const quantity = decimalOf(raw["quantity"]);
  const cashQuantity = decimalOf(raw["cashQty"]);
  if (cashQuantity === undefined) return quantity === undefined ? wrong(INCORRECT_TYPE) : { quantity };
  if (quantity !== undefined) return refused("invalid order attribute : either quantity or cashQty");
  const bought = sharesForCash(cashQuantity, terms, context);
  return typeof bought === "string" ? refused(bought) : { quantity: bought, cashQuantity };
}

function parentOf(value: unknown): string | undefined {
  return typeof value === "number" ? String(value) : textOf(value);
}

/** Reads `YYYYMMDD-HH:mm:ss` (UTC) or a date alone, which means its end. */
function instantOf(value: unknown): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(?:[- ](\d\d):(\d\d):(\d\d))?$/.exec(textOf(value) ?? "");
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 23, minute = 59, second = 59] = parts
    .slice(1)
    .map((part: string | undefined) => (part === undefined ? undefined : Number(part)));
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** How a trailing order trails; undefined for the others, `invalid` where it does not say it. */
function trailOf(kind: OrderKind, raw: Readonly<Record<string, unknown>>): Trail | undefined | "invalid" {
  if (kind !== "TRAIL" && kind !== "TRAILLMT") return undefined;
  const amount = decimalOf(raw["trailingAmt"]);
  const unit = raw["trailingType"];
  if (amount?.isPositive() !== true || (unit !== "amt" && unit !== "%")) return "invalid";
  return unit === "%" && !amount.lessThan(HUNDRED) ? "invalid" : { amount, unit };
}

const HUNDRED = Decimal.fromInteger(100);

function wrong(text: string): { readonly reply: SimReply } {
  return { reply: failure(400, text) };
}

function refused(text: string): { readonly reply: SimReply } {
  return { reply: refusal(text) };
}

function typesFit(raw: Readonly<Record<string, unknown>>): boolean {
  const absent = (field: string): boolean => raw[field] === undefined || raw[field] === null;
  return (
    NUMBERS.every((field) => absent(field) || decimalOf(raw[field]) !== undefined) &&
    BOOLEANS.every((field) => absent(field) || typeof raw[field] === "boolean") &&
    (absent("cOID") || typeof raw["cOID"] === "string")
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function sideOf(value: unknown): Side | undefined {
  const side = textOf(value)?.toUpperCase();
  return side === "BUY" || side === "SELL" ? side : undefined;
}

/** Reads a number as the body holds it: integers as numbers, everything else as text. */
function decimalOf(value: unknown): Decimal | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? Decimal.fromInteger(value) : undefined;
  if (typeof value !== "string") return undefined;
  try {
    return Decimal.parse(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The contract: `conid`, or the first part of `conidex` (`265598@NASDAQ`). */
function conidOf(raw: Readonly<Record<string, unknown>>): number | undefined {
  const given = raw["conid"] ?? textOf(raw["conidex"])?.split("@")[0];
  const conid = typeof given === "string" ? Number(given) : given;
  return typeof conid === "number" && Number.isSafeInteger(conid) ? conid : undefined;
}

/** The instrument, when it is traded at the exchange that `conidex` names. */
function instrumentOf(market: Market, conid: number, conidex: unknown): SimInstrument | undefined {
  const instrument = market.instrument(conid);
  const exchange = textOf(conidex)?.split("@")[1];
  const routed = exchange === undefined || exchange === "SMART" || instrument?.validExchanges.includes(exchange) === true;
  return routed ? instrument : undefined;
}

/** What `price` means for a kind, whether it may be left out, and whether `auxPrice` is the stop. */
const PRICE_FIELDS: Readonly<Record<OrderKind, PriceFields>> = {
  MKT: { price: undefined, optional: true, aux: false },
  LMT: { price: "limit", optional: false, aux: false },
  STP: { price: "stop", optional: false, aux: false },
  STOP_LIMIT: { price: "limit", optional: false, aux: true },
  TRAIL: { price: "stop", optional: true, aux: false },
  TRAILLMT: { price: "limit", optional: false, aux: true },
  MIT: { price: "stop", optional: false, aux: false },
  LIT: { price: "limit", optional: false, aux: true },
  MOC: { price: undefined, optional: true, aux: false },
  LOC: { price: "limit", optional: false, aux: false },
  MIDPRICE: { price: "limit", optional: true, aux: false },
};

interface PriceFields {
  readonly price: "limit" | "stop" | undefined;
  readonly optional: boolean;
  readonly aux: boolean;
}

type Prices = Pick<Ticket, "limitPrice" | "stopPrice">;

/** The prices that an order type wants; undefined when one is missing or isn't positive. */
function pricesOf(kind: OrderKind, price: Decimal | undefined, auxPrice: Decimal | undefined): Prices | undefined {
  const { price: use, optional, aux } = PRICE_FIELDS[kind];
  const limitPrice = use === "limit" ? price : undefined;
  const stopPrice = use === "stop" ? price : aux ? auxPrice : undefined;
  const given = (each: Decimal | undefined): boolean => each?.isPositive() === true;
  if (price === undefined ? use !== undefined && !optional : use !== undefined && !given(price)) return undefined;
  return aux && !given(auxPrice) ? undefined : { limitPrice, stopPrice };
}
