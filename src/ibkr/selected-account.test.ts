import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { SelectedAccount } from "./selected-account.ts";

/** An IBKR with one selected account, read through two links of the same user. */
function setUp() {
  const clock = fakeClock();
  const selection = new SelectedAccount(clock);
  const seen: string[] = [];
  let selected = "none";
  const read = (accountId: string, options: { answerMs?: number; signal?: AbortSignal; fails?: boolean } = {}) =>
    selection.run(
      accountId,
      {
        select: async () => {
          await clock.wait(10);
          if (options.fails === true) throw new Error("not selected");
          selected = accountId;
          seen.push(`select ${accountId}`);
        },
        read: async () => {
          await clock.wait(options.answerMs ?? 50);
          seen.push(`${accountId} read from ${selected}`);
        },
      },
      options.signal ?? new AbortController().signal,
    );
  return { clock, selection, seen, read };
}

describe("the selected account", () => {
  it("stays the same while it is read, whoever reads, and is selected once for all who want it", async () => {
    const { clock, seen, read } = setUp();
    const all = Promise.all([read("A"), read("A"), read("B"), read("A"), read("B")]);
    await clock.advance(1000);
    await all;
    expect(seen).toEqual([
      "select A",
      "A read from A",
      "A read from A",
      "select B",
      "B read from B",
      "B read from B",
      "select A",
      "A read from A",
    ]);
  });

  it("lets an account wait for one round of another, not for its whole crowd", async () => {
    const { clock, seen, read } = setUp();
    const crowd = Array.from({ length: 50 }, () => read("A"));
    const modest = read("B");
    const late = Array.from({ length: 50 }, () => read("A"));
    await clock.advance(1000);
    await Promise.all([...crowd, modest, ...late]);
    expect(seen.indexOf("B read from B")).toBe(52);
  });

  it("is selected again after two seconds, and after a doubt", async () => {
    const { clock, selection, seen, read } = setUp();
    for (const pause of [0, 1000, 2000]) {
      await clock.advance(pause);
      const reading = read("A");
      await clock.advance(100);
      await reading;
    }
    expect(seen.filter((entry) => entry === "select A")).toHaveLength(2);
    selection.forget();
    const reading = read("A");
    await clock.advance(100);
    await reading;
    expect(seen.filter((entry) => entry === "select A")).toHaveLength(3);
  });

  it("leaves selecting to the next when one fails, and is not taken for selected", async () => {
    const { clock, seen, read } = setUp();
    const failing = expect(read("A", { fails: true })).rejects.toThrow("not selected");
    const other = read("A");
    await clock.advance(1000);
    await failing;
    await other;
    expect(seen).toEqual(["select A", "A read from A"]);
  });

  it("forgets who hung up while waiting", async () => {
    const { clock, seen, read } = setUp();
    const hangUp = new AbortController();
    const first = read("A");
    const gone = expect(read("B", { signal: hangUp.signal })).rejects.toThrow("gone");
    hangUp.abort(new Error("gone"));
    await clock.advance(1000);
    await Promise.all([first, gone]);
    const last = read("C");
    await clock.advance(1000);
    await last;
    expect(seen).toEqual(["select A", "A read from A", "select C", "C read from C"]);
  });
});
