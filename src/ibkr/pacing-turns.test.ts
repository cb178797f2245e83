/** Each rule of who gets the next turn, and when, by itself. pacing.test.ts has the rules together, under load. */
import { describe, expect, it, test } from "vitest";

import { type FakeClock, fakeClock } from "../../test/support/fake-clock.ts";
import { LIMITS, ORDERS, setUp, soon, take, watch, type Stack } from "../../test/support/pacer-stack.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { Pacer, type TurnRequest } from "./pacing.ts";

describe("a pacer's alarms", () => {
  /** A clock that counts what is set on it. */
  function countingClock() {
    const clock = fakeClock();
    let waits = 0;
    const wait: FakeClock["wait"] = (ms, signal) => {
      waits += 1;
      // Stops a pacer that asks to be woken again and again.
      if (waits > 50) throw new Error("too many alarms");
      return clock.wait(ms, signal);
    };
    return { clock: { ...clock, wait }, waits: () => waits };
  }

  it("are none while nothing waits, and one for all that wait for the same time", async () => {
    const { clock, waits } = countingClock();
    const stack = setUp({ global: { requests: 2, perMs: 1000 }, endpoints: {} }, clock);
    for (const turn of await take(stack, 2)) turn.done(true);
    expect(waits()).toBe(0);
    const waiting = ["a", "b"].map((caller) => watch(clock, stack.ask({ caller })));
    await clock.advance(1030);
    expect(waiting.map(({ at }) => at)).toEqual([clock.now(), clock.now()]);
    await clock.advance(60_000);
    expect(waits()).toBe(1);
  });

  test.each([
    ["the endpoint", { global: { requests: 40, perMs: 1000 }, endpoints: { "/x": { requests: 1, perMs: 5000 } } }, 5030],
    ["the user", { global: { requests: 1, perMs: 5000 }, endpoints: {} }, 5030],
  ])("are set for the later of both limits: that of %s", async (_whose, limits, ms) => {
    const { clock, waits } = countingClock();
    const stack = setUp(limits, clock);
    (await soon(stack.ask({ endpoint: "/x" }))).done(true);
    const start = clock.now();
    const waiting = watch(clock, stack.ask({ endpoint: "/x" }));
    await clock.advance(30_000);
    expect([waiting.at, waits()]).toEqual([start + ms, 1]);
  });

  it("are set for the end of the longest wait when only an answer can open a gate", async () => {
    const { clock, waits } = countingClock();
    const stack = setUp(LIMITS, clock);
    await soon(stack.ask({ endpoint: "/one" }));
    const waiting = watch(clock, stack.ask({ endpoint: "/one" }));
    await clock.advance(30_000);
    expect([waiting.error, waits()]).toEqual([expect.objectContaining({ code: "rate_limited" }), 1]);
  });

  it("come earlier for who can go earlier", async () => {
    const { clock } = countingClock();
    const stack = setUp(
      { global: { requests: 40, perMs: 0 }, endpoints: { "/x": { requests: 1, perMs: 5000 }, "/y": { requests: 1, perMs: 900 } } },
      clock,
    );
    for (const endpoint of ["/x", "/y"]) (await soon(stack.ask({ endpoint }))).done(true);
    const start = clock.now();
    const [late, early] = ["/x", "/y"].map((endpoint) => watch(clock, stack.ask({ endpoint })));
    await clock.advance(6000);
    expect([early?.at, late?.at]).toEqual([start + 930, start + 5030]);
  });
});

describe("places for orders", () => {
  /** How many reads are sent now. */
  async function readsNow(stack: Stack): Promise<number> {
    const seen = Array.from({ length: 60 }, (_, index) => watch(stack.clock, stack.ask({ caller: `r${index}` })));
    await stack.clock.advance(0);
    return seen.filter(({ at }) => at !== undefined).length;
  }

  test.each([
    ["an order", { endpoint: ORDERS, urgent: true }, 0, 35],
    ["an order 59,999 ms ago", { endpoint: ORDERS, urgent: true }, 59_999, 36],
    ["an order a minute ago", { endpoint: ORDERS, urgent: true }, 60_000, 40],
    ["a read of that kind", { endpoint: ORDERS, urgent: false }, 0, 39],
    ["an urgent request of another kind", { endpoint: "/tickle", urgent: true }, 0, 39],
  ])("after %s leave so many to reads", async (_what, part, laterMs, reads) => {
    const stack = setUp();
    (await soon(stack.ask(part))).done(true);
    await stack.clock.advance(laterMs);
    expect(await readsNow(stack)).toBe(reads);
  });

  it("are never all, so that reads go on under the smallest limit", async () => {
    const stack = setUp({ global: { requests: 1, perMs: 0 }, endpoints: {} });
    (await soon(stack.ask({ endpoint: ORDERS, urgent: true }))).done(true);
    expect(await readsNow(stack)).toBe(1);
  });

  it("open to a waiting read by time alone", async () => {
    const stack = setUp({ global: { requests: 2, perMs: 1000 }, endpoints: {} });
    const order = await soon(stack.ask({ endpoint: ORDERS, urgent: true }));
    const start = stack.clock.now();
    order.done(true);
    const read = watch(stack.clock, stack.ask());
    await stack.clock.advance(1030);
    expect(read.at).toBe(start + 1030);
  });
});

describe("turns", () => {
  it("go to a read after nine orders in a row, and to nine orders again after it", async () => {
    const { clock, ask } = setUp({ global: { requests: 1, perMs: 100 }, endpoints: {} });
    const held = await soon(ask());
    const order: string[] = [];
    const queue = (name: string, part: Partial<TurnRequest>) =>
      ask(part).then((turn) => {
        order.push(name);
        turn.done(true);
        return undefined;
      });
    const all = [
      ...Array.from({ length: 20 }, () => queue("o", { urgent: true, caller: "t" })),
      ...Array.from({ length: 3 }, () => queue("r", { caller: "r" })),
    ];
    held.done(true);
    await clock.advance(10_000);
    await Promise.all(all);
    expect(order.join("")).toBe(`${"o".repeat(9)}r${"o".repeat(9)}roor`);
  });

  it("go to an order at an endpoint whose reads wait in rotation", async () => {
    const { clock, ask } = setUp();
    const held = await soon(ask({ endpoint: "/one" }));
    const reads = ["a", "b"].map((caller) => watch(clock, ask({ endpoint: "/one", caller })));
    const order = watch(clock, ask({ endpoint: "/one", caller: "c", urgent: true }));
    held.done(true);
    await clock.advance(0);
    expect([order.at, ...reads.map(({ at }) => at)]).toEqual([clock.now(), undefined, undefined]);
  });
});

describe("turns at one place at a time", () => {
  it("go to callers in their own rotation, even if another one waits longer at an endpoint without a limit", async () => {
    const { clock, ask } = setUp({ global: { requests: 1, perMs: 100 }, endpoints: {} });
    const order: string[] = [];
    const queue = (name: string, part: Partial<TurnRequest>) =>
      void ask(part).then((turn) => {
        order.push(name);
        turn.done(true);
        return undefined;
      });
    const held = await soon(ask());
    queue("a1", { caller: "a", endpoint: "/x" });
    queue("a2", { caller: "a", endpoint: "/y" });
    queue("b1", { caller: "b", endpoint: "/y" });
    held.done(true);
    await clock.advance(1000);
    expect(order).toEqual(["a1", "b1", "a2"]);
  });

  it("go to callers at an endpoint with a limit in the rotation of that endpoint", async () => {
    const { clock, ask } = setUp();
    const held = await soon(ask({ endpoint: "/one" }));
    const [first, second] = ["greedy", "busy"].map((caller) => watch(clock, ask({ endpoint: "/one", caller })));
    await soon(ask({ caller: "greedy" }));
    held.done(true);
    await clock.advance(0);
    expect([first?.at, second?.at]).toEqual([clock.now(), undefined]);
  });

  it("go to a request that goes first before its caller's others", async () => {
    const { clock, ask } = setUp({ global: { requests: 1, perMs: 100 }, endpoints: {} });
    const held = await soon(ask());
    const [last, first] = [watch(clock, ask()), watch(clock, ask({ goesFirst: true }))];
    held.done(true);
    await clock.advance(130);
    expect([first.at, last.at]).toEqual([clock.now(), undefined]);
  });

  it("go to the first read after more than nine orders that passed without one", async () => {
    const { clock, ask } = setUp({ global: { requests: 1, perMs: 100 }, endpoints: {} });
    for (let index = 0; index < 12; index += 1) {
      (await soon(ask({ urgent: true }))).done(true);
      await clock.advance(200);
    }
    const held = await soon(ask({ urgent: true }));
    const [order, read] = [watch(clock, ask({ urgent: true })), watch(clock, ask())];
    held.done(true);
    await clock.advance(130);
    expect([read.at, order.at]).toEqual([clock.now(), undefined]);
  });

  it("go to a read after nine orders even where the last places are for orders", async () => {
    const stack = setUp({ global: { requests: 10, perMs: 0 }, endpoints: {} });
    const held = await take(stack, 10);
    const orders = Array.from({ length: 9 }, () => watch(stack.clock, stack.ask({ endpoint: ORDERS, urgent: true })));
    const read = watch(stack.clock, stack.ask());
    for (const turn of held.slice(0, 9)) turn.done(true);
    await stack.clock.advance(0);
    expect([orders.filter(({ turn }) => turn !== undefined).length, read.turn]).toEqual([9, undefined]);
    held.at(-1)?.done(true);
    await stack.clock.advance(0);
    expect(read.turn).toBeDefined();
  });
});

describe("a pacer without limits of its own", () => {
  it("keeps to those of IBKR's OAuth face", async () => {
    const clock = fakeClock();
    const pacer = new Pacer({ clock, log: silentLog });
    const request = { caller: "a", urgent: false, repeatsPriming: false, signal: new AbortController().signal };
    const seen = ["/tickle", "/tickle", ...Array.from({ length: 40 }, () => "/any")].map((endpoint) =>
      watch(clock, pacer.turn({ ...request, endpoint })),
    );
    await clock.advance(0);
    expect([seen[1]?.at, seen.filter(({ at }) => at !== undefined).length]).toEqual([undefined, 40]);
  });
});

describe("a new limit for all", () => {
  it("lets what waits go", async () => {
    const stack = setUp({ global: { requests: 1, perMs: 1000 }, endpoints: {} });
    await soon(stack.ask());
    const waiting = watch(stack.clock, stack.ask());
    stack.pacer.limitTo({ requests: 2, perMs: 1000 });
    await stack.clock.advance(0);
    expect(waiting.at).toBe(stack.clock.now());
  });
});

describe("a pacer that joins another", () => {
  it("brings its penalties, its requests on their way and all that waits, in both queues", async () => {
    const clock = fakeClock();
    const [from, into] = [setUp(LIMITS, clock), setUp(LIMITS, clock)];
    const [inFlight, other] = [await soon(from.ask({ endpoint: "/one" })), await soon(from.ask({ endpoint: "/x" }))];
    other.refused();
    const leaving = new AbortController();
    const read = watch(clock, from.ask({ endpoint: "/one" }));
    const order = watch(clock, from.ask({ endpoint: "/one", urgent: true }));
    const gone = watch(clock, from.ask({ endpoint: "/one", signal: leaving.signal }));
    from.pacer.joinInto(into.pacer);
    expect(into.pacer.figures).toEqual({ urgent: 1, reads: 2, inFlight: 2 });
    expect(from.pacer.figures).toMatchObject({ urgent: 0, reads: 0 });
    leaving.abort(new Error("gone"));
    await clock.advance(0);
    expect([gone.error, into.pacer.figures.reads]).toEqual([new Error("gone"), 1]);
    const closed = watch(clock, into.ask({ endpoint: "/x" }));
    inFlight.done(true);
    await clock.advance(0);
    expect([order.at, read.at, closed.at]).toEqual([clock.now(), undefined, undefined]);
    order.turn?.done(true);
    await clock.advance(0);
    expect(read.at).toBe(clock.now());
    other.refused();
    await clock.advance(11_999);
    expect(closed.at).toBeUndefined();
    await clock.advance(1);
    expect(closed.at).toBe(clock.now());
  });

  it("speaks for the other from then on", async () => {
    const clock = fakeClock();
    const [from, into] = [setUp(LIMITS, clock), setUp(LIMITS, clock)];
    from.pacer.joinInto(into.pacer);
    await soon(from.ask());
    expect([from.pacer.figures.inFlight, into.pacer.figures.inFlight]).toEqual([0, 1]);
  });

  it("lets what it brought go where there is room", async () => {
    const clock = fakeClock();
    const small = { global: { requests: 1, perMs: 1000 }, endpoints: {} };
    const [from, into] = [setUp(small, clock), setUp(LIMITS, clock)];
    await soon(from.ask());
    const waiting = watch(clock, from.ask());
    from.pacer.joinInto(into.pacer);
    await clock.advance(0);
    expect(waiting.at).toBe(clock.now());
  });
});

describe("a 429", () => {
  /** Has IBKR refuse a request that is sent now, and expects its endpoint to be closed for `ms` and open after them. */
  async function expectClosed(stack: Stack, ms: number): Promise<void> {
    const turn = await soon(stack.ask({ endpoint: "/x" }));
    turn.refused();
    turn.done(true);
    await stack.clock.advance(ms - 1);
    const waiting = watch(stack.clock, stack.ask({ endpoint: "/x" }));
    await stack.clock.advance(0);
    expect([ms, waiting.at]).toEqual([ms, undefined]);
    await stack.clock.advance(1);
    expect([ms, waiting.at]).toEqual([ms, stack.clock.now()]);
    waiting.turn?.done(false);
  }

  it("closes its endpoint for six seconds, then twice as long each time, up to 15 minutes", async () => {
    const stack = setUp();
    for (const ms of [6000, 12_000, 24_000, 48_000, 96_000, 192_000, 384_000, 768_000, 900_000, 900_000]) await expectClosed(stack, ms);
  });

  it("R: closes it for six seconds again only after a success that was sent when the penalty was over", async () => {
    const stack = setUp();
    const early = await soon(stack.ask({ endpoint: "/x" }));
    await expectClosed(stack, 6000);
    const turn = await soon(stack.ask({ endpoint: "/x" }));
    turn.refused();
    early.done(true);
    turn.done(true);
    await stack.clock.advance(12_000);
    const lost = await soon(stack.ask({ endpoint: "/x" }));
    lost.done(false);
    await expectClosed(stack, 24_000);
    (await soon(stack.ask({ endpoint: "/x" }))).done(true);
    await expectClosed(stack, 6000);
  });

  it("closes no other endpoint, and is counted", async () => {
    const { ask, observed } = setUp();
    (await soon(ask({ endpoint: ORDERS }))).refused();
    await expect(soon(ask())).resolves.toBeDefined();
    expect(observed).toContain("orders");
  });
});
