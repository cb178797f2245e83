import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import type { CallOptions } from "../broker/broker.ts";
import { SharedReads } from "./shared-reads.ts";

/** Reads that wait in a queue: an urgent one for a second, others for ten. */
function setUp() {
  const clock = fakeClock();
  const reads = new SharedReads<string>();
  const started: string[] = [];
  const failures = new Set<string>();
  const read = (name: string, over: Partial<CallOptions> = {}) =>
    reads.run("key", { caller: name, signal: new AbortController().signal, ...over }, async (shared) => {
      started.push(name);
      await clock.wait(shared.urgent === true ? 1000 : 10_000, shared.signal);
      if (failures.has(name)) throw new Error(`${name} failed`);
      return name;
    });
  return { clock, read, started, failures };
}

describe("SharedReads", () => {
  it("shares one read among those who ask while it runs", async () => {
    const { clock, read, started } = setUp();
    const answers = Promise.all([read("a"), read("b")]);
    await clock.advance(10_000);
    expect(await answers).toEqual(["a", "a"]);
    expect(started).toEqual(["a"]);
  });

  it("doesn't let an urgent read wait in another caller's place, and gives the earlier one its answer", async () => {
    const { clock, read, started } = setUp();
    const ordinary = read("ordinary");
    const urgent = read("urgent", { urgent: true });
    const late = read("late");
    await clock.advance(1000);
    expect(await Promise.all([ordinary, urgent, late])).toEqual(["urgent", "urgent", "urgent"]);
    expect(started).toEqual(["ordinary", "urgent"]);
    expect(clock.pending).toBe(0);
  });

  it("lets further urgent ones share the urgent read", async () => {
    const { clock, read, started } = setUp();
    const all = Promise.all([read("a"), read("b", { urgent: true }), read("c", { urgent: true })]);
    await clock.advance(1000);
    await all;
    expect(started).toEqual(["a", "b"]);
  });

  it("waits for the other attempt when one fails, and fails when both did", async () => {
    const { clock, read, failures } = setUp();
    failures.add("urgent");
    const saved = Promise.all([read("ordinary"), read("urgent", { urgent: true })]);
    await clock.advance(10_000);
    expect(await saved).toEqual(["ordinary", "ordinary"]);
    failures.add("ordinary");
    const failed = Promise.allSettled([read("ordinary"), read("urgent", { urgent: true })]);
    await clock.advance(10_000);
    expect((await failed).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("gives every attempt up when nobody waits any more", async () => {
    const { clock, read } = setUp();
    const gone = new AbortController();
    const both = Promise.allSettled([read("a", { signal: gone.signal }), read("b", { urgent: true, signal: gone.signal })]);
    await clock.advance(100);
    gone.abort(new Error("hung up"));
    await both;
    await clock.advance(0);
    expect(clock.pending).toBe(0);
    const again = read("c");
    await clock.advance(10_000);
    expect(await again).toBe("c");
  });
});
