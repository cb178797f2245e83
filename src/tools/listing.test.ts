import { describe, expect, test } from "vitest";

import type { Instrument } from "../broker/instrument.ts";
import { plainListing } from "./listing.ts";

let nextConid = 1;

function listing(name: string, exchange: string, currency: string): Instrument {
  nextConid += 1;
  return {
    conid: nextConid,
    symbol: "X",
    name,
    secType: "STK",
    currency,
    exchange,
    multiplier: undefined,
    right: undefined,
    strike: undefined,
    expiry: undefined,
    underlyingConid: undefined,
  };
}

const home = listing("APPLE INC", "NASDAQ.NMS", "USD");
const mexico = listing("APPLE INC.", "MEXI", "MXN");
const frankfurt = listing("Apple Inc", "IBIS", "EUR");
const canadianReceipt = listing("APPLE INC-CDR", "NEOE", "CAD");
const londonDollars = listing("APPLE INC", "LSEETF", "USD");

describe("a bare ticker", () => {
  test("means its only listing", () => {
    expect(plainListing([frankfurt], "order")).toBe(frankfurt);
    expect(plainListing([], "read")).toBeUndefined();
  });

  test("means the primary listing in the United States when the others are its cross-listings", () => {
    for (const purpose of ["read", "order"] as const) {
      expect(plainListing([mexico, frankfurt, canadianReceipt, home], purpose)).toBe(home);
    }
  });

  test("is never guessed between two companies", () => {
    const other = listing("APPLE HOSPITALITY REIT", "LSE", "GBP");
    expect(plainListing([home, other], "read")).toBeUndefined();
    expect(plainListing([home, { ...mexico, name: undefined }], "read")).toBeUndefined();
  });

  test("is never guessed between listings abroad, or between two in the United States", () => {
    expect(plainListing([mexico, frankfurt], "read")).toBeUndefined();
    expect(plainListing([home, listing("APPLE INC", "NYSE", "USD")], "read")).toBeUndefined();
  });

  test("asks for more certainty when it is to be ordered", () => {
    expect(plainListing([home, londonDollars], "read")).toBe(home);
    expect(plainListing([home, londonDollars], "order")).toBeUndefined();
    const receipt = listing("SAP SE-SPONSORED ADR", "NYSE", "USD");
    const shares = listing("SAP SE", "IBIS", "EUR");
    expect(plainListing([receipt, shares], "read")).toBe(receipt);
    expect(plainListing([receipt, shares], "order")).toBeUndefined();
  });
});
