import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { fastClock } from "../../test/support/fast-clock.ts";
import { callOptions as call, errorResponse, simulatedLink, type SimulatedLink } from "../../test/support/simulated-link.ts";

const AAPL = 265598;
const MSFT = 272093;
/** A Tuesday, two days before Thanksgiving. */
const NOW = Date.parse("2026-11-24T15:00:00Z");
let world: SimulatedLink;

beforeAll(async () => {
  world = await simulatedLink({ clock: fastClock(5, NOW), tradingHours: "real" });
  await world.link.accounts(call());
});

afterEach(() => world.fault(undefined));
afterAll(() => world.close());

const noNewerForm = () =>
  world.fault(({ path }) => (path === "/contract/trading-schedule" ? Promise.resolve(errorResponse(404, "not found")) : undefined));

describe("market hours", () => {
  it("tell each day from today on, also those without trading, with liquid and extended hours", async () => {
    const hours = await world.link.marketHours(AAPL, call());
    expect(hours).toMatchObject({ conid: AAPL, exchange: "NASDAQ", timeZone: "America/New_York" });
    expect(hours.days.slice(0, 6).map(({ date, sessions }) => [date, sessions.length])).toEqual([
      ["2026-11-24", 2],
      ["2026-11-25", 2],
      ["2026-11-26", 0],
      ["2026-11-27", 2],
      ["2026-11-28", 0],
      ["2026-11-29", 0],
    ]);
    expect(hours.days[0]?.sessions).toEqual([
      { opensAt: Date.parse("2026-11-24T09:00:00Z"), closesAt: Date.parse("2026-11-25T01:00:00Z"), isLiquidHours: false },
      { opensAt: Date.parse("2026-11-24T14:30:00Z"), closesAt: Date.parse("2026-11-24T21:00:00Z"), isLiquidHours: true },
    ]);
    const early = hours.days[3]?.sessions.find(({ isLiquidHours }) => isLiquidHours);
    expect(early?.closesAt).toBe(Date.parse("2026-11-27T18:00:00Z"));
  });

  it("are kept for an hour", async () => {
    await world.link.marketHours(AAPL, call());
    const before = world.sent.length;
    await world.link.marketHours(AAPL, call());
    expect(world.sent).toHaveLength(before);
  });

  it("are worked out of the older form where IBKR lacks the newer: the same instants", async () => {
    const { days } = await world.link.marketHours(AAPL, call());
    noNewerForm();
    const older = await world.link.marketHours(MSFT, call());
    expect(older).toMatchObject({ conid: MSFT, exchange: "NASDAQ", timeZone: "America/New_York" });
    expect(older.days.slice(0, 9)).toEqual(days.slice(0, 9));
    expect(world.requests(/secdef\/schedule/)).toHaveLength(1);
  });

  it("of a future are those of its exchange, in either form", async () => {
    const [es] = await world.link.futures(["ES"], call());
    const [nq] = await world.link.futures(["NQ"], call());
    const newer = await world.link.marketHours(es?.conid ?? 0, call());
    expect(newer).toMatchObject({ exchange: "CME", timeZone: "America/Chicago" });
    noNewerForm();
    const older = await world.link.marketHours(nq?.conid ?? 0, call());
    expect(older.days.slice(0, 5)).toEqual(newer.days.slice(0, 5));
  });

  it("in Europe are in the exchange's own zone, whatever IBKR calls it", async () => {
    const paris = (await world.link.stocks("AIR", call())).find(({ exchange }) => exchange === "SBF");
    const hours = await world.link.marketHours(paris?.conid ?? 0, call());
    expect(hours.timeZone).toBe("Europe/Paris");
    expect(hours.days[0]?.sessions.at(-1)).toMatchObject({ opensAt: Date.parse("2026-11-24T08:00:00Z") });
  });

  it("of an unknown contract, and where IBKR tells none, are refused in words", async () => {
    await expect(world.link.marketHours(999_999_998, call())).rejects.toMatchObject({ code: "contract_not_found" });
    world.fault(({ path }) => {
      if (path === "/contract/trading-schedule") return Promise.resolve(errorResponse(500, "no schedule"));
      return path === "/trsrv/secdef/schedule" ? Promise.resolve(Response.json([])) : undefined;
    });
    await expect(world.link.marketHours(8314, call())).rejects.toMatchObject({ code: "not_supported" });
  });
});
