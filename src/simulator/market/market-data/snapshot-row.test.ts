import { describe, expect, it } from "vitest";
import { createMarket } from "../create-market.ts";
import { shortened, signed, withCommas } from "./number-format.ts";
import { SNAPSHOT_FIELDS } from "./snapshot-fields.ts";
import { snapshotRow } from "./snapshot-row.ts";
import { Decimal } from "../../../lib/decimal.ts";

const now = Date.parse("2026-11-22T15:30:00Z");
const fields = Object.keys(SNAPSHOT_FIELDS);
const decimal = (text: string): Decimal => Decimal.parse(text);

describe("a snapshot row", () => {
  it("has a text for every field of every kind of instrument, or leaves the field out", () => {
    for (const alwaysOpen of [true, false]) {
      const market = createMarket({ seed: "fields", alwaysOpen });
      const option = market.option({ underlyingConid: 756733, expiry: "20270115", right: "P", strike: 650 });
      const sample = market.all().filter((instrument, index) => index % 12 === 0 || instrument.symbol === "QUIET");
      for (const instrument of [...sample, ...(option === undefined ? [] : [option])]) {
        const row = snapshotRow(market, instrument, { fields, now, polls: 3 });
        for (const [id, value] of Object.entries(row))
          if (/^\d+$/.test(id)) expect([id, value]).toEqual([id, expect.not.stringMatching(/NaN|undefined|Infinity/)]);
      }
    }
  });

  it("fills what a share, an option and a currency pair have", () => {
    const market = createMarket({ seed: "fields", alwaysOpen: true });
    const rowOf = (conid: number) => {
      const instrument = market.instrument(conid);
      return instrument === undefined ? {} : snapshotRow(market, instrument, { fields, now, polls: 3 });
    };
    expect(rowOf(265598)).toMatchObject({ "7051": "APPLE INC", "7289": expect.stringMatching(/T$/), "7290": expect.any(String) });
    expect(rowOf(265598)).toMatchObject({ "7674": expect.any(String), "7282": expect.stringMatching(/M$/), "6072": expect.any(String) });
    const pair = rowOf(12087792);
    expect(pair).toMatchObject({ "55": "EUR.USD", "31": expect.stringMatching(/^\d\.\d{5}$/) });
    expect(pair).not.toHaveProperty("87");
    const index = rowOf(416904);
    expect(index).toHaveProperty("31");
    expect(index).not.toHaveProperty("84");
    const option = market.option({ underlyingConid: 756733, expiry: "20270115", right: "P", strike: 650 });
    expect(rowOf(option?.conid ?? 0)).toMatchObject({ "7308": expect.stringMatching(/^-0\.\d{3}$/), "7219": "SPY JAN 15 '27 650 Put" });
  });

  it("still has the last figures of an option that has expired", () => {
    const market = createMarket({ seed: "fields", alwaysOpen: true });
    const option = market.option({ underlyingConid: 756733, expiry: "20261120", right: "C", strike: 600 });
    const row = option === undefined ? {} : snapshotRow(market, option, { fields, now, polls: 3 });
    expect(row).toMatchObject({ "31": expect.stringMatching(/^\d/), "7087": expect.stringMatching(/^\d/), "7674": expect.any(String) });
  });

  it("shows delayed data a quarter of an hour late, and frozen ones of the day before", () => {
    const market = createMarket({ seed: "fields", alwaysOpen: true });
    const lastOf = (conid: number): unknown => {
      const instrument = market.instrument(conid);
      return instrument === undefined ? undefined : snapshotRow(market, instrument, { fields: ["31"], now, polls: 2 })["31"];
    };
    expect(lastOf(68001001)).toBe(market.quote(68001001, now - 900_000).last.toFixed(2));
    expect(lastOf(68001002)).toBe(market.quote(68001002, now).priorClose.toFixed(3));
  });
});

describe("numbers in a snapshot", () => {
  it("have commas, suffixes and signs", () => {
    expect(["1", "999", "1000", "1234567"].map((text) => withCommas(decimal(text)))).toEqual(["1", "999", "1,000", "1,234,567"]);
    expect(["0", "9999", "10000", "999949", "999960", "45312345", "3457000000000"].map((text) => shortened(decimal(text)))).toEqual([
      "0",
      "9,999",
      "10K",
      "999.9K",
      "1M",
      "45.3M",
      "3.5T",
    ]);
    expect(["1.2", "-0.53", "0"].map((text) => signed(decimal(text), 2))).toEqual(["+1.20", "-0.53", "0.00"]);
  });
});
