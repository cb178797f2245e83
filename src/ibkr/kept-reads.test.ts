import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { KeptReads } from "./kept-reads.ts";

const options = { signal: new AbortController().signal, caller: "test" };
const failing = (code: "rate_limited" | "broker_rejected", retryAfterSeconds?: number) => () =>
  Promise.reject(new GatewayError(code, "no", { whatToDo: "wait", ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }));

function keptReads() {
  const clock = fakeClock();
  return { clock, reads: new KeptReads<string>({ clock, maxEntries: 2, freshMs: 1000, keptMs: 5000, seldom: "Seldom." }) };
}

describe("kept reads", () => {
  it("give an answer without asking while it is fresh, and ask again afterwards", async () => {
    const { clock, reads } = keptReads();
    expect(await reads.read("a", options, () => Promise.resolve("one"))).toBe("one");
    expect(await reads.read("a", options, () => Promise.resolve("two"))).toBe("one");
    await clock.advance(1000);
    expect(reads.fresh("a")).toBeUndefined();
    expect(await reads.read("a", options, () => Promise.resolve("two"))).toBe("two");
  });

  it("give an older answer where IBKR can't be asked just now, but not instead of a refusal", async () => {
    const { clock, reads } = keptReads();
    await reads.read("a", options, () => Promise.resolve("one"));
    await clock.advance(2000);
    expect(await reads.read("a", options, failing("rate_limited"))).toBe("one");
    await expect(reads.read("a", options, failing("broker_rejected"))).rejects.toMatchObject({ code: "broker_rejected" });
    await clock.advance(3000);
    await expect(reads.read("a", options, failing("rate_limited"))).rejects.toMatchObject({ code: "rate_limited" });
  });

  it("say why the wait is long", async () => {
    const { reads } = keptReads();
    await expect(reads.read("a", options, failing("rate_limited", 700))).rejects.toMatchObject({
      code: "rate_limited",
      message: "Seldom.",
      whatToDo: expect.stringContaining("700 s"),
      retryAfterSeconds: 700,
    });
  });

  it("keep no more than they may, and nothing of a failure", async () => {
    const { reads } = keptReads();
    for (const key of ["a", "b", "c"]) await reads.read(key, options, () => Promise.resolve(key));
    expect(["a", "b", "c"].map((key) => reads.fresh(key))).toEqual([undefined, "b", "c"]);
    await expect(reads.read("d", options, failing("broker_rejected"))).rejects.toThrow("no");
    expect(reads.fresh("d")).toBeUndefined();
  });
});
