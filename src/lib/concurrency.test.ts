import { expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { seededRandom } from "./random.ts";
import { Secret, equalSecrets } from "./secret.ts";
import { SingleFlight } from "./single-flight.ts";

it("a keyed lock runs one action at a time per key, in order, and survives a failure", async () => {
  const lock = new KeyedLock<string>();
  const seen: string[] = [];
  const step = (key: string, name: string, fail = false) =>
    lock.run(key, async () => {
      seen.push(`${name} in`);
      await Promise.resolve();
      seen.push(`${name} out`);
      if (fail) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([step("a", "1", true), step("a", "2"), step("b", "3")]);
  expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(seen.indexOf("2 in")).toBeGreaterThan(seen.indexOf("1 out"));
  expect(seen.indexOf("3 in")).toBeLessThan(seen.indexOf("1 out"));
});

it("a single flight shares one running call and keeps nothing afterwards", async () => {
  const flight = new SingleFlight<string, number>();
  let calls = 0;
  const start = async () => (calls += 1);
  expect(await Promise.all([flight.run("k", start), flight.run("k", start)])).toEqual([1, 1]);
  expect(await flight.run("k", start)).toBe(2);
  await expect(flight.run("k", () => Promise.reject(new Error("down")))).rejects.toThrow("down");
  expect(await flight.run("k", start)).toBe(3);
});

it("a bounded cache drops the least recently used entry and whatever is too old", async () => {
  const clock = fakeClock();
  const cache = new BoundedCache<string, number>({ clock, maxEntries: 2, ttlMs: 1000 });
  cache.set("a", 1);
  cache.set("b", 2);
  expect(cache.get("a")).toBe(1);
  cache.set("c", 3);
  expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.size]).toEqual([1, undefined, 3, 2]);
  await clock.advance(1000);
  expect(cache.get("a")).toBeUndefined();
});

it("a fake clock rings in order, lets waits be aborted, and repeats intervals", async () => {
  const clock = fakeClock(0);
  const rung: string[] = [];
  const stop = clock.every(100, () => rung.push(`tick ${clock.now()}`));
  const waited = clock.wait(150).then(() => rung.push(`wait ${clock.now()}`));
  const abort = new AbortController();
  const aborted = clock.wait(500, abort.signal);
  await clock.advance(250);
  await waited;
  abort.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  stop();
  await clock.advance(1000);
  expect(rung).toEqual(["tick 100", "wait 150", "tick 200"]);
  expect(clock.pending).toBe(0);
});

it("a seed gives the same numbers again, and another seed others", () => {
  const draw = (seed: string) => seededRandom(seed).bytes(16).toString("hex");
  expect(draw("monday")).toBe(draw("monday"));
  expect(draw("monday")).not.toBe(draw("tuesday"));
  const random = seededRandom("mean");
  const mean = Array.from({ length: 10_000 }, () => random.fraction()).reduce((sum, value) => sum + value, 0) / 10_000;
  expect(mean).toBeGreaterThan(0.48);
  expect(mean).toBeLessThan(0.52);
});

it("a secret shows itself only when it is revealed", () => {
  const secret = new Secret("hunter2");
  expect(`${secret.toString()} ${JSON.stringify({ secret })} ${String(Object.values(secret))}`).not.toContain("hunter2");
  expect(secret.reveal()).toBe("hunter2");
  expect([equalSecrets("a", "a"), equalSecrets("a", "b"), equalSecrets("", "a")]).toEqual([true, false, false]);
});
