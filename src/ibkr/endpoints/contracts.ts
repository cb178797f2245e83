import { z } from "zod";

import type { Instrument, OrderTypeName, PriceIncrement, SecType, SecurityMatch, TradingRules } from "../../broker/instrument.ts";
import { Decimal } from "../../lib/decimal.ts";
import { unlessZero } from "../numbers.ts";
import type { ApiRequest } from "../transport.ts";
import { isoDate, isoMonth, orderTypeOf, secTypeOf } from "./codes.ts";
import { decimal, flag, integer, listOf, text } from "./reply.ts";

/** IBKR takes at most this many ids in one `/trsrv/secdef`. */
export const MAX_SECDEF_CONIDS = 200;
/** The id that IBKR gives to all bonds of an issuer together; it names no contract. */
const BOND_PLACEHOLDER = 2_147_483_647;

/** `GET /iserver/secdef/search`, by ticker or by company name. */
export function searchRequest(symbol: string, byName: boolean): ApiRequest {
  const path = "/iserver/secdef/search";
  return { method: "GET", path, endpoint: path, query: { symbol, name: String(byName) }, othersWait: true };
}

/** `GET /trsrv/stocks`: all listings of a ticker. */
export function stocksRequest(symbol: string): ApiRequest {
  return { method: "GET", path: "/trsrv/stocks", endpoint: "/trsrv/stocks", query: { symbols: symbol } };
}

/** `GET /trsrv/secdef`: what these ids are; unknown ones are left out. */
export function secdefRequest(conids: readonly number[]): ApiRequest {
  return { method: "GET", path: "/trsrv/secdef", endpoint: "/trsrv/secdef", query: { conids: conids.join(",") } };
}

/** `POST /iserver/contract/rules`: what orders IBKR takes for a contract. */
export function rulesRequest(conid: number): ApiRequest {
  const path = "/iserver/contract/rules";
  return { method: "POST", path, endpoint: path, body: { conid, exchange: "SMART", isBuy: true, modifyOrder: false, orderId: 0 } };
}

/** `GET /iserver/secdef/strikes`. */
export function strikesRequest(conid: number, month: string): ApiRequest {
  const path = "/iserver/secdef/strikes";
  return {
    method: "GET",
    path,
    endpoint: path,
    query: { conid: String(conid), sectype: "OPT", month, exchange: "SMART" },
    othersWait: true,
  };
}

/** `GET /iserver/secdef/info`: the contracts of one strike and right in a month, one per expiry. */
export function optionInfoRequest(conid: number, option: { month: string; strike: string; right: string }): ApiRequest {
  const path = "/iserver/secdef/info";
  return {
    method: "GET",
    path,
    endpoint: path,
    query: { conid: String(conid), sectype: "OPT", exchange: "SMART", ...option },
    othersWait: true,
  };
}

/** Hits of a search. */
export const searchReply = listOf(
  z.looseObject({
    conid: integer,
    symbol: text,
    companyName: text,
    companyHeader: text,
    description: text,
    sections: listOf(z.looseObject({ secType: text, months: text })),
  }),
);

/** Reads a hit into our terms; undefined for one that names no contract. */
export function toMatch(row: z.output<typeof searchReply>[number]): SecurityMatch | undefined {
  if (row.conid === undefined || row.conid <= 0 || row.conid === BOND_PLACEHOLDER || row.symbol === undefined) return undefined;
  const secTypes = row.sections.flatMap((section): SecType[] => {
    const secType = secTypeOf(section.secType);
    return secType === undefined ? [] : [secType];
  });
  return {
    conid: row.conid,
    symbol: row.symbol,
    name: row.companyName ?? row.companyHeader,
    exchange: row.description,
    secTypes: [...new Set(secTypes)],
  };
}

/** The months (`YYYY-MM`) in which options on a hit expire, ascending. */
export function optionMonthsOf(row: z.output<typeof searchReply>[number]): string[] {
  const written = row.sections.flatMap(({ secType, months }) => (secType === "OPT" ? (months ?? "").split(";") : []));
  return [...new Set(written.flatMap((month) => isoMonth(month) ?? []))].toSorted();
}

/** Listings by ticker. */
export const stocksReply = z.record(
  z.string(),
  listOf(z.looseObject({ assetClass: text, contracts: listOf(z.looseObject({ conid: integer, exchange: text })) })),
);

/** Rows of `/trsrv/secdef`. */
export const secdefReply = z.looseObject({
  secdef: listOf(
    z.looseObject({
      conid: integer,
      ticker: text,
      name: text,
      fullName: text,
      assetClass: text,
      currency: text,
      listingExchange: text,
      multiplier: decimal,
      putOrCall: text,
      strike: decimal,
      expiry: text,
      lastTradingDay: text,
      undConid: integer,
    }),
  ),
});

/** Reads a contract into our terms; undefined without id, currency or a kind that we know. */
export function toInstrument(row: z.output<typeof secdefReply>["secdef"][number]): Instrument | undefined {
  const secType = secTypeOf(row.assetClass);
  if (row.conid === undefined || row.currency === undefined || secType === undefined) return undefined;
  return {
    conid: row.conid,
    symbol: row.ticker ?? row.fullName ?? "",
    name: row.name,
    secType,
    currency: row.currency,
    exchange: row.listingExchange,
    multiplier: unlessZero(row.multiplier),
    right: rightOf(row.putOrCall),
    strike: unlessZero(row.strike),
    expiry: isoDate(row.expiry) ?? isoDate(row.lastTradingDay),
    underlyingConid: row.undConid === 0 ? undefined : row.undConid,
  };
}

/** Strikes of one month. */
export const strikesReply = z.looseObject({ call: listOf(decimal), put: listOf(decimal) });

/** Contracts of one strike. */
export const optionInfoReply = listOf(
  z.looseObject({
    conid: integer,
    symbol: text,
    desc2: text,
    right: text,
    strike: decimal,
    currency: text,
    maturityDate: text,
    multiplier: decimal,
  }),
);

/** Reads an option contract into our terms; undefined when a part of it is missing. */
export function toOption(row: z.output<typeof optionInfoReply>[number], underlying: Instrument): Instrument | undefined {
  const right = rightOf(row.right);
  if (row.conid === undefined || right === undefined || row.strike === undefined) return undefined;
  return {
    conid: row.conid,
    symbol: row.symbol ?? underlying.symbol,
    name: row.desc2 ?? underlying.name,
    secType: "OPT",
    currency: row.currency ?? underlying.currency,
    exchange: "SMART",
    multiplier: unlessZero(row.multiplier),
    right,
    strike: row.strike,
    expiry: isoDate(row.maturityDate),
    underlyingConid: underlying.conid,
  };
}

/** What IBKR takes in orders for a contract. */
export const rulesReply = z.looseObject({
  error: text,
  orderTypes: listOf(text),
  orderTypesOutside: listOf(text),
  fraqTypes: listOf(text),
  fraqInt: integer,
  sizeIncrement: decimal,
  increment: decimal,
  incrementRules: listOf(z.looseObject({ lowerEdge: decimal, increment: decimal })),
  priceMagnifier: decimal,
  negativeCapable: flag,
});

/** A contract's rules, and by what its quoted prices exceed its currency (100 for pence). */
export interface ContractRules {
  readonly rules: TradingRules;
  /** Undefined where prices are quoted in the currency itself. */
  readonly magnifier: Decimal | undefined;
}

/** Above this, a number of decimals is no number of decimals. */
const MAX_PLACES = 20;

/** Reads the rules into our terms, increments in the instrument's currency. */
export function toRules(conid: number, reply: z.output<typeof rulesReply>): ContractRules {
  const magnifier = reply.priceMagnifier?.greaterThan(Decimal.one) === true ? reply.priceMagnifier : undefined;
  const inCurrency = (price: Decimal) => (magnifier === undefined ? price : price.dividedBy(magnifier));
  const written = reply.incrementRules.flatMap((rule): PriceIncrement[] =>
    rule.increment?.isPositive() === true
      ? [{ lowerEdge: inCurrency(rule.lowerEdge ?? Decimal.zero), increment: inCurrency(rule.increment) }]
      : [],
  );
  const fallback = reply.increment?.isPositive() === true ? [{ lowerEdge: Decimal.zero, increment: inCurrency(reply.increment) }] : [];
  const priceIncrements = (written.length > 0 ? written : fallback).toSorted((a, b) => a.lowerEdge.compare(b.lowerEdge));
  return {
    rules: {
      conid,
      orderTypes: orderTypes(reply.orderTypes),
      orderTypesOutsideRth: orderTypes(reply.orderTypesOutside),
      priceIncrements: priceIncrements.length === 0 ? undefined : priceIncrements,
      sizeIncrement: reply.sizeIncrement?.isPositive() === true ? reply.sizeIncrement : undefined,
      fractionTypes: orderTypes(reply.fraqTypes),
      fractionPlaces: reply.fraqInt !== undefined && reply.fraqInt > 0 && reply.fraqInt <= MAX_PLACES ? reply.fraqInt : undefined,
    },
    magnifier,
  };
}

/** A list without one name that we know, empty or left out, says nothing about our order types. */
function orderTypes(names: readonly (string | undefined)[]): readonly OrderTypeName[] | undefined {
  const known = names.map(orderTypeOf).filter((name) => name !== undefined);
  return known.length === 0 ? undefined : [...new Set(known)];
}

function rightOf(value: string | undefined): "C" | "P" | undefined {
  const letter = value?.slice(0, 1).toUpperCase();
  return letter === "C" || letter === "P" ? letter : undefined;
}
