import { describe, expect, it } from "vitest";
import { seededRandom } from "../../lib/random.ts";
import { createMarket } from "./create-market.ts";

const AAPL = 265598;
const at = Date.parse("2026-11-22T15:30:12.345Z");

describe("the simulated market", () => {
  it("gives the same quotes for the same seed and others for another", () => {
    const market = createMarket({ seed: "demo", alwaysOpen: true });
    const printed = (seed: string) => JSON.stringify(createMarket({ seed, alwaysOpen: true }).quote(AAPL, at));
    expect(printed("demo")).toBe(JSON.stringify(market.quote(AAPL, at)));
    expect(printed("other")).not.toBe(printed("demo"));
    expect(market.all().length).toBeGreaterThanOrEqual(120);
  });

  it("answers a quote in well under a millisecond", () => {
    const market = createMarket({ seed: "demo", alwaysOpen: true });
    const random = seededRandom("speed");
    market.quote(AAPL, at);
    const started = performance.now();
    for (let count = 0; count < 2000; count += 1) market.quote(AAPL, at + Math.floor(random.fraction() * 3_600_000));
    const average = (performance.now() - started) / 2000;
    expect(average).toBeLessThan(0.5);
  });
});
