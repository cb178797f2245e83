import { Decimal } from "../../lib/decimal.ts";
import { isRecord } from "../../lib/json.ts";
import { failure, refusal } from "../http/route.ts";
import type { SimReply } from "../http/route.ts";
import type { Market, SimInstrument } from "../market/market.ts";
import type { OrderKind, Side, Ticket, Tif } from "./records.ts";

/** Wire names of the order types that the simulator takes; `STP_LIMIT` is an old name that IBKR still reads. */
const KINDS: Readonly<Record<string, OrderKind>> = {
  MKT: "MKT",
  LMT: "LMT",
  STP: "STP",
  STOP_LIMIT: "STOP_LIMIT",
  STP_LIMIT: "STOP_LIMIT",
};
/** Order types that IBKR has and the simulator doesn't. */
const OTHER_KINDS = new Set(["MIDPRICE", "TRAIL", "TRAILLMT", "MOC", "LOC", "MIT", "LIT", "REL"]);
const TIFS: Readonly<Record<string, Tif>> = { DAY: "DAY", GTC: "GTC", IOC: "IOC" };
/** Fields that ask for something the simulator doesn't do; leaving them unheard would place another order than was meant. */
const UNSUPPORTED = [
  "cashQty",
  "fxQty",
  "trailingAmt",
  "trailingType",
  "strategy",
  "useAdaptive",
  "allOrNone",
  "deactivated",
  "isSingleGroup",
  "parentId",
];
const NUMBERS = ["quantity", "price", "auxPrice"] as const;
const BOOLEANS = ["outsideRTH", "useAdaptive", "allOrNone", "deactivated", "isSingleGroup"] as const;
const INCORRECT_TYPE = "orders request includes parameter with incorrect type";

/** A ticket that can be read, with its instrument, or what to answer to one that can't. */
export type ReadTicket = { readonly ticket: Ticket; readonly instrument: SimInstrument } | { readonly reply: SimReply };

/**
 * Reads one order ticket (reference F.1). `accountId` is the account of the path; a ticket that names another is refused.
 * For a stop order the stop is in `price`, for a stop limit order in `auxPrice`.
 */
export function readTicket(raw: unknown, accountId: string, market: Market): ReadTicket {
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
  const quantity = decimalOf(raw["quantity"]);
  if (quantity === undefined) return wrong(INCORRECT_TYPE);
  const prices = pricesOf(kind, decimalOf(raw["price"]), decimalOf(raw["auxPrice"]));
  if (prices === undefined) return refused("Invalid order price fields");
  const clientOrderId = textOf(raw["cOID"]);
  const ticket = { accountId, conid, side, kind, quantity, ...prices, tif, outsideRth: raw["outsideRTH"] === true, clientOrderId };
  return { ticket, instrument };
}

function wrong(text: string): ReadTicket {
  return { reply: failure(400, text) };
}

function refused(text: string): ReadTicket {
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

type Prices = Pick<Ticket, "limitPrice" | "stopPrice">;

/** The prices that an order type wants; undefined when one is missing or isn't positive. */
function pricesOf(kind: OrderKind, price: Decimal | undefined, auxPrice: Decimal | undefined): Prices | undefined {
  const limitPrice = kind === "LMT" || kind === "STOP_LIMIT" ? price : undefined;
  const stopPrice = kind === "STP" ? price : kind === "STOP_LIMIT" ? auxPrice : undefined;
  const wanted = { MKT: [], LMT: [limitPrice], STP: [stopPrice], STOP_LIMIT: [limitPrice, stopPrice] }[kind];
  return wanted.every((each) => each?.isPositive() === true) ? { limitPrice, stopPrice } : undefined;
}
