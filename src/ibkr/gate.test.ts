import { describe, expect, it, test } from "vitest";

import { Gate } from "./gate.ts";

/** The gate's own margin, added to each second of IBKR's. */
const MARGIN = 30;
const answered = (tookMs = 0) => ({ settled: true, tookMs });
const givenUp = (tookMs = 0) => ({ settled: false, tookMs });

function fill(gate: Gate, requests: number): void {
  for (let index = 0; index < requests; index += 1) gate.enter();
}

describe("places", () => {
  it("are as many as the limit, and some can be left free", () => {
    const gate = new Gate({ requests: 3, perMs: 1000 });
    fill(gate, 2);
    expect([gate.inFlight, gate.isOpen(0), gate.isOpen(0, 1)]).toEqual([2, true, false]);
    gate.enter();
    expect([gate.inFlight, gate.isOpen(0)]).toEqual([3, false]);
  });

  it("stay held for the limit's time and a margin after the answer", () => {
    const gate = new Gate({ requests: 1, perMs: 1000 });
    gate.enter();
    gate.leave(500, answered());
    expect(gate.inFlight).toBe(0);
    expect([gate.isOpen(1500 + MARGIN - 1), gate.isOpen(1500 + MARGIN)]).toEqual([false, true]);
  });

  it("stay held ten seconds longer when IBKR may still be working", () => {
    const gate = new Gate({ requests: 1, perMs: 1000 });
    gate.enter();
    gate.leave(0, givenUp());
    expect([gate.isOpen(11_000 + MARGIN - 1), gate.isOpen(11_000 + MARGIN)]).toEqual([false, true]);
  });

  it("of a limit on requests at once are free with the answer", () => {
    const gate = new Gate({ requests: 1, perMs: 0 });
    gate.enter();
    gate.leave(0, answered());
    expect(gate.isOpen(0)).toBe(true);
    gate.enter();
    gate.leave(0, givenUp());
    expect([gate.isOpen(10_000 + MARGIN - 1), gate.isOpen(10_000 + MARGIN)]).toEqual([false, true]);
  });

  it("become free in the order of their times, however they were left", () => {
    const gate = new Gate({ requests: 2, perMs: 1000 });
    fill(gate, 2);
    gate.leave(0, givenUp());
    gate.leave(0, answered());
    expect(gate.opensAt(0)).toBe(1000 + MARGIN);
    expect(gate.opensAt(0, 1)).toBe(11_000 + MARGIN);
    expect(gate.isOpen(1000 + MARGIN)).toBe(true);
    expect(gate.isOpen(1000 + MARGIN, 1)).toBe(false);
  });
});

describe("the time at which a gate opens", () => {
  it("is now while a place is free", () => {
    const gate = new Gate({ requests: 1, perMs: 1000 });
    expect(gate.opensAt(7)).toBe(7);
    gate.enter();
    gate.leave(0, answered());
    expect([gate.opensAt(5000), gate.waitFor(0, 5000)]).toEqual([5000, 0]);
  });

  it("is never while only an answer can open it", () => {
    const gate = new Gate({ requests: 2, perMs: 1000 });
    fill(gate, 2);
    expect(gate.opensAt(0)).toBe(Infinity);
    gate.leave(0, answered());
    expect([gate.opensAt(0), gate.opensAt(0, 1)]).toEqual([1000 + MARGIN, Infinity]);
  });

  it("is the end of a penalty, where that comes later than a place", () => {
    const gate = new Gate({ requests: 1, perMs: 1000 });
    gate.blockedUntil = 5000;
    expect(gate.opensAt(0)).toBe(5000);
    expect([gate.isOpen(4999), gate.isOpen(5000)]).toEqual([false, true]);
    gate.enter();
    gate.leave(4500, answered());
    expect(gate.opensAt(4600)).toBe(5500 + MARGIN);
  });
});

describe("the wait for a place", () => {
  it("is none in front of an open gate, then a round for each lot of the limit", () => {
    const gate = new Gate({ requests: 2, perMs: 1000 });
    expect([0, 1, 2, 3, 4].map((ahead) => gate.waitFor(ahead, 0))).toEqual([0, 0, 1000, 1000, 2000]);
  });

  it("counts from the time that opens the gate, or from one round when only an answer does", () => {
    const gate = new Gate({ requests: 1, perMs: 1000 });
    gate.blockedUntil = 700;
    expect(gate.waitFor(0, 100)).toBe(600);
    gate.enter();
    expect(gate.waitFor(1, 100)).toBe(2000);
  });

  it("counts the mean time of IBKR's answers, a fifth of it the newest", () => {
    const gate = new Gate({ requests: 1, perMs: 0 });
    gate.enter();
    gate.leave(0, answered(1000));
    expect(gate.waitFor(1, 0)).toBeCloseTo(200);
    gate.enter();
    gate.leave(0, answered(0));
    expect(gate.waitFor(1, 0)).toBeCloseTo(160);
  });
});

describe("the count of 429 in a row", () => {
  // R: a success that IBKR sent before its penalty was over proves nothing.
  test.each([
    ["an answer after the penalty", 100, answered(), 0],
    ["an answer during the penalty", 99, answered(), 3],
    ["a request that was given up", 200, givenUp(), 3],
  ])("after %s", (_what, at, end, penalties) => {
    const gate = new Gate({ requests: 5, perMs: 0 });
    gate.enter();
    gate.penalties = 3;
    gate.blockedUntil = 100;
    gate.leave(at, end);
    expect(gate.penalties).toBe(penalties);
  });
});

describe("a gate that takes another over", () => {
  it("counts the requests and places of both", () => {
    const [into, from] = [new Gate({ requests: 4, perMs: 1000 }), new Gate({ requests: 4, perMs: 1000 })];
    fill(into, 1);
    fill(from, 3);
    from.leave(0, givenUp());
    from.leave(100, answered());
    into.absorb(from);
    expect(into.inFlight).toBe(2);
    expect([into.isOpen(0), into.opensAt(0)]).toEqual([false, 1100 + MARGIN]);
    expect(into.opensAt(0, 1)).toBe(11_000 + MARGIN);
  });

  test.each([
    [500, 2, 100, 1],
    [100, 1, 500, 2],
  ])("has the longer penalty and the higher count: %i/%i and %i/%i", (...[ownUntil, own, otherUntil, other]) => {
    const [into, from] = [new Gate({ requests: 1, perMs: 0 }), new Gate({ requests: 1, perMs: 0 })];
    Object.assign(into, { blockedUntil: ownUntil, penalties: own });
    Object.assign(from, { blockedUntil: otherUntil, penalties: other });
    into.absorb(from);
    expect([into.blockedUntil, into.penalties]).toEqual([500, 2]);
  });
});
