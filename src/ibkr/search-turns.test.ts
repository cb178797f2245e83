import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { SearchTurns } from "./search-turns.ts";

/** Searches that each take a second, and when which of them went in. */
function setUp() {
  const clock = fakeClock();
  const start = clock.now();
  const turns = new SearchTurns(clock);
  const begun: { name: string; atSecond: number }[] = [];
  const failed = new Map<string, unknown>();
  const search = (
    kind: "symbol" | "name",
    name: string,
    over: { caller?: string; urgent?: boolean; signal?: AbortSignal; ms?: number } = {},
  ) => {
    const { caller = "a", urgent = false, signal = new AbortController().signal, ms = 1000 } = over;
    turns
      .run(kind, { caller, urgent, signal }, async () => {
        begun.push({ name, atSecond: Math.round((clock.now() - start) / 1000) });
        await clock.wait(ms);
      })
      .catch((error: unknown) => failed.set(name, error));
  };
  const at = (second: number) => begun.filter(({ atSecond }) => atSecond === second).map(({ name }) => name);
  return { clock, search, begun, failed, at };
}

describe("SearchTurns", () => {
  it("runs searches by symbol side by side, and one by name after them", async () => {
    const { clock, search, at } = setUp();
    search("symbol", "first");
    search("symbol", "second");
    search("name", "by name");
    await clock.advance(1500);
    expect(at(0)).toEqual(["first", "second"]);
    expect(at(1)).toEqual(["by name"]);
  });

  it("serves callers in rotation, whoever asked first", async () => {
    const { clock, search, at } = setUp();
    for (let index = 0; index < 40; index += 1) search("symbol", `greedy ${index}`, { caller: "greedy" });
    search("symbol", "modest", { caller: "modest" });
    await clock.advance(1500);
    expect(at(1)).toContain("modest");
    expect(at(1)).toHaveLength(16);
  });

  it("lets one kind not shut out the other", async () => {
    const { clock, search, begun } = setUp();
    for (let index = 0; index < 90; index += 1) search("symbol", `symbol ${index}`, { caller: `c${index % 7}` });
    search("name", "by name", { caller: "z" });
    await clock.advance(3500);
    expect(begun.find(({ name }) => name === "by name")?.atSecond).toBe(2);
  });

  it("lets an urgent one go next, whatever kind is in", async () => {
    const { clock, search, at } = setUp();
    for (let index = 0; index < 60; index += 1) search("name", `name ${index}`, { caller: `c${index % 7}` });
    search("symbol", "of an order", { urgent: true });
    await clock.advance(1500);
    expect(at(1)).toContain("of an order");
  });

  it("refuses at once who would wait too long, and in time who did", async () => {
    const { clock, search, failed } = setUp();
    search("symbol", "slow", { ms: 25_000 });
    search("name", "waits");
    await clock.advance(20_500);
    expect(failed.get("waits")).toMatchObject({ code: "rate_limited" });
    for (let index = 0; index < 101; index += 1) search("name", `queued ${index}`, { caller: "greedy" });
    await clock.advance(0);
    expect(failed.get("queued 99")).toBeUndefined();
    expect(failed.get("queued 100")).toMatchObject({ code: "rate_limited" });
    search("name", "another caller's", { caller: "modest" });
    await clock.advance(0);
    expect(failed.get("another caller's")).toBeUndefined();
  });

  it("tells who would wait over twenty seconds right away", async () => {
    const { clock, search, failed } = setUp();
    for (let index = 0; index < 16; index += 1) search("symbol", `slow ${index}`, { caller: `c${index}`, ms: 18_000 });
    await clock.advance(18_500);
    for (let index = 0; index < 96; index += 1) search("symbol", `more ${index}`, { caller: "greedy", ms: 18_000 });
    await clock.advance(0);
    expect(failed.get("more 95")).toMatchObject({ code: "rate_limited" });
    expect(failed.get("more 15")).toBeUndefined();
  });

  it("keeps no place for a caller who hung up while waiting, and lets the next one in", async () => {
    const { clock, search, at, failed } = setUp();
    const gone = new AbortController();
    search("symbol", "first");
    search("name", "gone", { signal: gone.signal });
    search("symbol", "second", { caller: "b" });
    gone.abort(new Error("hung up"));
    await clock.advance(1500);
    expect(failed.get("gone")).toMatchObject({ message: "hung up" });
    expect(at(0)).toEqual(["first", "second"]);
    expect(clock.pending).toBe(0);
  });

  it("holds a turn until its search has ended, although its caller hung up", async () => {
    const { clock, search, at } = setUp();
    const gone = new AbortController();
    search("name", "by name", { signal: gone.signal, ms: 3000 });
    await clock.advance(100);
    gone.abort();
    search("symbol", "after it", { caller: "b" });
    await clock.advance(5000);
    expect(at(3)).toEqual(["after it"]);
  });
});
