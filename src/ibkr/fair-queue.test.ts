import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { FairQueue } from "./fair-queue.ts";
import { Rotation } from "./rotation.ts";

interface Entry {
  readonly caller: string;
  readonly name: string;
}

const entry = (name: string): Entry => ({ caller: name.slice(0, 1), name });
const any = (): boolean => true;

function queueOf(...names: readonly string[]): FairQueue<Entry> {
  const queue = new FairQueue<Entry>();
  for (const name of names) queue.add(entry(name));
  return queue;
}

/** Takes up to 50 entries: more than any test adds. */
function drain(queue: FairQueue<Entry>): string[] {
  return Array.from({ length: 50 }, () => queue.take(any)?.name).filter((name) => name !== undefined);
}

describe("a fair queue", () => {
  it("serves callers in rotation and each one's requests in order", () => {
    expect(drain(queueOf("a1", "a2", "a3", "b1", "c1", "c2"))).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"]);
  });

  it("puts a request first among its caller's own only", () => {
    const queue = queueOf("a1", "b1", "b2");
    queue.add(entry("b0"), true);
    queue.add(entry("c0"), true);
    expect(drain(queue)).toEqual(["a1", "b0", "c0", "b1", "b2"]);
  });

  it("passes over what isn't free, which keeps its turn", () => {
    const queue = queueOf("a1", "a2", "b1");
    expect(queue.take(({ name }) => name !== "a1")?.name).toBe("a2");
    expect(queue.take(({ name }) => name === "zero")).toBeUndefined();
    expect([queue.size, queue.of("a"), queue.of("b")]).toEqual([2, 1, 1]);
    expect(drain(queue)).toEqual(["b1", "a1"]);
  });

  it("takes out single entries, and all that match, without serving their callers", () => {
    const queue = queueOf("a1", "a2", "b1", "b2");
    const known = [...queue.entries()].find(({ name }) => name === "b1");
    expect(known !== undefined && queue.remove(known)).toBe(true);
    expect(known !== undefined && queue.remove(known)).toBe(false);
    expect(queue.remove(entry("a1"))).toBe(false);
    expect(queue.remove(entry("z1"))).toBe(false);
    expect(queue.takeAll(({ name }) => name.endsWith("2")).map(({ name }) => name)).toEqual(["a2", "b2"]);
    expect([queue.size, queue.of("a"), queue.of("b")]).toEqual([1, 1, 0]);
    expect(drain(queue)).toEqual(["a1"]);
    expect(drain(queue)).toEqual([]);
  });

  it("counts how many are served before a caller's next request", () => {
    const callers = fc.constantFrom("a", "b", "c", "d");
    fc.assert(
      fc.property(fc.array(callers, { maxLength: 30 }), fc.nat(5), callers, fc.boolean(), (waiting, served, caller, first) => {
        const queue = queueOf(...waiting.map((name, index) => `${name}${index}`));
        for (let index = 0; index < served; index += 1) queue.take(any);
        const ahead = queue.ahead(caller, first);
        queue.add({ caller, name: "next" }, first);
        const position = drain(queue).indexOf("next");
        // Others may be in front of this caller in the rotation or behind it: at most one round less is served before.
        expect(position).toBeLessThanOrEqual(ahead);
        expect(position).toBeGreaterThanOrEqual(ahead - 3);
      }),
    );
  });

  it("counts the caller's own and one round of each other", () => {
    const queue = queueOf("a1", "a2", "b1", "b2", "b3", "c1");
    expect([queue.ahead("a"), queue.ahead("a", true), queue.ahead("z"), queue.ahead("c")]).toEqual([2 + 3 + 1, 2, 3, 1 + 2 + 2]);
  });
});

describe("a rotation", () => {
  it("knows who is next, and forgets those who no longer wait", () => {
    const rotation = new Rotation();
    expect(rotation.isNext("a")).toBe(true);
    for (const caller of ["a", "a", "b"]) rotation.add(caller);
    expect([rotation.isNext("a"), rotation.isNext("b"), rotation.size, rotation.of("a")]).toEqual([true, false, 3, 2]);
    rotation.serve("a");
    expect([[...rotation.callers()], rotation.isNext("b"), rotation.size]).toEqual([["b", "a"], true, 2]);
    rotation.remove("a");
    expect([[...rotation.callers()], rotation.of("a"), rotation.size]).toEqual([["b"], 0, 1]);
    rotation.serve("b");
    expect([[...rotation.callers()], rotation.size]).toEqual([[], 0]);
  });

  it("keeps the place of a caller whose request is given up", () => {
    const rotation = new Rotation();
    for (const caller of ["a", "a", "b"]) rotation.add(caller);
    rotation.remove("a");
    expect([[...rotation.callers()], rotation.of("a"), rotation.size]).toEqual([["a", "b"], 1, 2]);
  });
});
