/** Each rule of waiting for a turn by itself. pacing.test.ts has the rules together, under load. */
import { getEventListeners } from "node:events";

import { describe, expect, it, test } from "vitest";

import { ORDERS, setUp, soon, take, watch } from "../../test/support/pacer-stack.ts";
import { type TurnRequest } from "./pacing.ts";

describe("a turn", () => {
  it("ends once", async () => {
    const stack = setUp();
    const [first] = await take(stack, 2);
    expect(stack.pacer.figures.inFlight).toBe(2);
    first?.done(true);
    first?.done(true);
    expect(stack.pacer.figures.inFlight).toBe(1);
  });

  it("is observed with its kind, its urgency and the time it waited", async () => {
    const { clock, ask, observed } = setUp();
    const held = await soon(ask({ endpoint: "/one" }));
    const waiting = ask({ endpoint: "/one" });
    await clock.advance(700);
    held.done(true);
    await soon(waiting);
    await soon(ask({ endpoint: ORDERS, urgent: true }));
    expect(observed).toEqual([
      { endpointClass: "other", urgent: false, waitedMs: 0 },
      { endpointClass: "other", urgent: false, waitedMs: 700 },
      { endpointClass: "orders", urgent: true, waitedMs: 0 },
    ]);
  });

  it("holds its endpoint for as long as IBKR took, which later waits count", async () => {
    const { clock, ask, observed } = setUp({ global: { requests: 40, perMs: 1000 }, endpoints: { "/one": { requests: 1, perMs: 8000 } } });
    const turn = await soon(ask({ endpoint: "/one" }));
    await clock.advance(10_000);
    turn.done(true);
    // 8,030 ms until the first, and for each behind it 8,000 and a fifth of 10,000 ms.
    for (let index = 0; index < 2; index += 1) ask({ endpoint: "/one" }).catch(() => undefined);
    await expect(soon(ask({ endpoint: "/one" }))).rejects.toMatchObject({ retryAfterSeconds: 29 });
    expect(observed).toContain("wait");
  });
});

describe("a caller's signal", () => {
  it("that has aborted refuses the turn", async () => {
    const { ask, pacer } = setUp();
    await expect(soon(ask({ signal: AbortSignal.abort(new Error("gone")) }))).rejects.toThrow("gone");
    expect(pacer.figures).toEqual({ urgent: 0, reads: 0, inFlight: 0 });
  });

  it("is left alone once the turn has come, was given up or has expired", async () => {
    const { clock, ask } = setUp();
    const [granted, left, late] = [new AbortController(), new AbortController(), new AbortController()];
    await soon(ask({ endpoint: "/one", signal: granted.signal }));
    const [gone, expired] = [left, late].map(({ signal }) => watch(clock, ask({ endpoint: "/one", signal })));
    expect([granted, left, late].map(({ signal }) => getEventListeners(signal, "abort").length)).toEqual([0, 1, 1]);
    left.abort(new Error("gone"));
    await clock.advance(20_000);
    expect([gone?.error, expired?.error]).toEqual([new Error("gone"), expect.objectContaining({ code: "rate_limited" })]);
    expect([granted, left, late].map(({ signal }) => getEventListeners(signal, "abort").length)).toEqual([0, 0, 0]);
  });

  it("that aborts leaves its place at the endpoint to the next caller", async () => {
    const { clock, ask, pacer } = setUp();
    const held = await soon(ask({ endpoint: "/one" }));
    const leaving = new AbortController();
    const first = watch(clock, ask({ endpoint: "/one", caller: "a", signal: leaving.signal }));
    const second = watch(clock, ask({ endpoint: "/one", caller: "b" }));
    leaving.abort(new Error("gone"));
    held.done(true);
    await clock.advance(0);
    expect([first.error, second.at]).toEqual([new Error("gone"), clock.now()]);
    expect(pacer.figures).toEqual({ urgent: 0, reads: 0, inFlight: 1 });
  });
});

describe("waiting", () => {
  it("ends after 20 seconds to the millisecond, also when nothing else happens", async () => {
    const { clock, ask, observed } = setUp();
    await soon(ask({ endpoint: "/one" }));
    const waiting = watch(clock, ask({ endpoint: "/one" }));
    await clock.advance(19_999);
    expect(waiting.error).toBeUndefined();
    await clock.advance(1);
    expect(waiting.error).toMatchObject({ code: "rate_limited", retryAfterSeconds: expect.any(Number) });
    expect(observed).toContain("expired");
  });

  test.each([
    [20_000, "waits"],
    [20_001, "is refused"],
  ])("for a place in %i ms %s", async (ms, outcome) => {
    const { clock, ask } = setUp({ global: { requests: 40, perMs: 1000 }, endpoints: { "/one": { requests: 1, perMs: ms - 30 } } });
    (await soon(ask({ endpoint: "/one" }))).done(true);
    const waiting = watch(clock, ask({ endpoint: "/one" }));
    await clock.advance(0);
    expect(waiting.error === undefined ? "waits" : "is refused").toBe(outcome);
  });

  it("of a read counts the orders in front of it, that of an order no read", async () => {
    const stack = setUp({ global: { requests: 1, perMs: 1000 }, endpoints: {} });
    (await soon(stack.ask())).done(true);
    const refusals = async (part: Partial<TurnRequest>) => {
      const seen = watch(stack.clock, stack.ask(part));
      await stack.clock.advance(0);
      return seen.error !== undefined;
    };
    for (let index = 0; index < 15; index += 1) stack.ask({ urgent: true, caller: `t${index}` }).catch(() => undefined);
    for (let index = 0; index < 4; index += 1) stack.ask({ caller: `r${index}` }).catch(() => undefined);
    expect(await refusals({ caller: "r9" })).toBe(true);
    expect(await refusals({ caller: "t99", urgent: true })).toBe(false);
  });

  it("for an endpoint counts the requests in front of it there, unless it repeats a priming call", async () => {
    const { clock, ask } = setUp({ global: { requests: 40, perMs: 1000 }, endpoints: { "/one": { requests: 1, perMs: 9000 } } });
    (await soon(ask({ endpoint: "/one" }))).done(true);
    for (const caller of ["a", "b"]) ask({ endpoint: "/one", caller }).catch(() => undefined);
    await expect(soon(ask({ endpoint: "/one", caller: "c" }))).rejects.toMatchObject({ code: "rate_limited" });
    const repeat = watch(clock, ask({ endpoint: "/one", caller: "c", repeatsPriming: true }));
    await clock.advance(0);
    expect(repeat.at).toBe(clock.now());
  });
});

describe("a request that expired", () => {
  it("leaves its turn at the endpoint to others, and is told when the endpoint may be free", async () => {
    const stack = setUp({ global: { requests: 40, perMs: 1000 }, endpoints: { "/one": { requests: 1, perMs: 5000 } } });
    const held = await soon(stack.ask({ endpoint: "/one" }));
    const expired = watch(stack.clock, stack.ask({ endpoint: "/one", caller: "a" }));
    await stack.clock.advance(20_000);
    expect(expired.error).toMatchObject({ retryAfterSeconds: 5 });
    held.done(true);
    const next = watch(stack.clock, stack.ask({ endpoint: "/one", caller: "b" }));
    await stack.clock.advance(6000);
    expect(next.at).toBeDefined();
  });
});
