import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { pino } from "pino";
import { Pacer, type Turn, type TurnRequest } from "./pacing.ts";

const LIMITS = {
  global: { requests: 40, perMs: 1000 },
  endpoints: { "/slow": { requests: 1, perMs: 5000 }, "/charts": { requests: 2, perMs: 0 } },
};

function setUp() {
  const clock = fakeClock();
  const pacer = new Pacer({ clock, log: pino({ enabled: false }) }, LIMITS);
  const ask = (part: Partial<TurnRequest> = {}): Promise<Turn> =>
    pacer.turn({ endpoint: "/any", caller: "a", urgent: false, repeatsPriming: false, signal: new AbortController().signal, ...part });
  return { clock, ask };
}

/** Asks for a turn, notes when it came, and ends it after `answerMs`. */
function runs(
  clock: ReturnType<typeof fakeClock>,
  turn: Promise<Turn>,
  name: string,
  into: { order: { name: string; sentAt: number; answeredAt: number }[]; answerMs?: number },
) {
  const { order, answerMs = 0 } = into;
  return turn.then(async (granted) => {
    const sentAt = clock.now();
    if (answerMs > 0) await clock.wait(answerMs);
    order.push({ name, sentAt, answeredAt: clock.now() });
    granted.done(true);
    return undefined;
  });
}

describe("Pacer", () => {
  it("never lets more than the limit into any second, whenever IBKR counts within a request's flight", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            after: fc.integer({ min: 0, max: 60 }),
            answer: fc.integer({ min: 1, max: 900 }),
            counted: fc.double({ min: 0, max: 1, noNaN: true }),
          }),
          { minLength: 50, maxLength: 150 },
        ),
        async (plan) => {
          const { clock, ask } = setUp();
          const order: { name: string; sentAt: number; answeredAt: number }[] = [];
          for (const [index, step] of plan.entries()) {
            await clock.advance(step.after);
            void runs(clock, ask({ caller: `c${index % 7}` }), String(index), { order, answerMs: step.answer });
          }
          await clock.advance(60_000);
          expect(order).toHaveLength(plan.length);
          const counted = order
            .map((entry, index) => entry.sentAt + (entry.answeredAt - entry.sentAt) * (plan[index]?.counted ?? 0))
            .toSorted((a, b) => a - b);
          for (const [index, at] of counted.entries()) expect((counted[index + 40] ?? Infinity) - at).toBeGreaterThanOrEqual(1000);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("keeps an endpoint's own limit without holding up the others", async () => {
    const { clock, ask } = setUp();
    const order: { name: string; sentAt: number; answeredAt: number }[] = [];
    const start = clock.now();
    for (const name of ["slow 1", "slow 2", "slow 3"]) void runs(clock, ask({ endpoint: "/slow" }), name, { order });
    void runs(clock, ask(), "other", { order });
    await clock.advance(100);
    expect(order.map((entry) => entry.name)).toEqual(["slow 1", "other"]);
    await clock.advance(12_000);
    expect(order.slice(2).map((entry) => Math.round((entry.sentAt - start) / 1000))).toEqual([5, 10]);
  });

  it("counts requests at once where the limit is on those", async () => {
    const { clock, ask } = setUp();
    const turns = [await ask({ endpoint: "/charts" }), await ask({ endpoint: "/charts" })];
    const order: { name: string; sentAt: number; answeredAt: number }[] = [];
    void runs(clock, ask({ endpoint: "/charts" }), "third", { order });
    await clock.advance(3000);
    expect(order).toHaveLength(0);
    turns[0]?.done(true);
    await clock.advance(0);
    expect(order).toHaveLength(1);
    turns[1]?.done(false);
    const late = ask({ endpoint: "/charts" });
    const later = ask({ endpoint: "/charts" });
    await expect(late).resolves.toBeDefined();
    void runs(clock, later, "after one was given up", { order });
    await clock.advance(5000);
    expect(order).toHaveLength(1);
    await clock.advance(6000);
    expect(order).toHaveLength(2);
  });

  it("serves orders first and callers in rotation", async () => {
    const { clock, ask } = setUp();
    const first = await Promise.all(Array.from({ length: 40 }, () => ask({ caller: "greedy" })));
    const order: { name: string; sentAt: number; answeredAt: number }[] = [];
    for (let index = 0; index < 3; index += 1) void runs(clock, ask({ caller: "greedy" }), `greedy ${index}`, { order });
    void runs(clock, ask({ caller: "modest" }), "modest", { order });
    void runs(clock, ask({ caller: "trader", urgent: true }), "order", { order });
    for (const turn of first) turn.done(true);
    await clock.advance(2000);
    expect(order.map((entry) => entry.name)).toEqual(["order", "greedy 0", "modest", "greedy 1", "greedy 2"]);
  });

  it("says at once when the wait would be over 20 seconds, and how long to wait", async () => {
    const { ask } = setUp();
    const turn = await ask({ endpoint: "/slow" });
    turn.done(true);
    const waiting = Array.from({ length: 3 }, () => ask({ endpoint: "/slow" }));
    for (const wait of waiting) wait.catch(() => undefined);
    await expect(ask({ endpoint: "/slow" })).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 21 });
  });

  it("lets a modest caller in at once while a greedy one has filled all that it may", async () => {
    const { clock, ask } = setUp();
    const order: { name: string; sentAt: number; answeredAt: number }[] = [];
    const start = clock.now();
    const refused: unknown[] = [];
    for (let index = 0; index < 600; index += 1)
      void runs(clock, ask({ caller: "greedy" }), `greedy ${index}`, { order }).catch((error: unknown) => refused.push(error));
    await clock.advance(0);
    expect(refused).toHaveLength(160);
    expect(refused[0]).toMatchObject({ code: "rate_limited", retryAfterSeconds: 11 });
    for (let index = 0; index < 5; index += 1) void runs(clock, ask({ caller: "modest" }), `modest ${index}`, { order });
    await clock.advance(1100);
    expect(order.filter(({ name }) => name.startsWith("modest")).map(({ sentAt }) => sentAt - start)).toEqual(Array(5).fill(1030));
  });

  it("tells a caller at once that its own share will not come in time, however many others wait", async () => {
    const { ask } = setUp();
    for (let caller = 0; caller < 20; caller += 1)
      for (let index = 0; index < 39; index += 1) ask({ caller: `c${caller}` }).catch(() => undefined);
    const greedy = await Promise.race(Array.from({ length: 80 }, () => ask({ caller: "c19" }).catch((error: unknown) => error)));
    expect(greedy).toMatchObject({ code: "rate_limited", retryAfterSeconds: 21 });
    const newcomer = new AbortController();
    const waiting = ask({ caller: "newcomer", signal: newcomer.signal });
    newcomer.abort(new Error("was let in"));
    await expect(waiting).rejects.toThrow("was let in");
  });

  it("gives turns at an endpoint in rotation of their own, whatever else a caller does", async () => {
    const { clock, ask } = setUp();
    const order: { name: string; sentAt: number; answeredAt: number }[] = [];
    for (let index = 0; index < 3; index += 1) void runs(clock, ask({ endpoint: "/slow", caller: "greedy" }), "greedy", { order });
    void runs(clock, ask({ endpoint: "/slow", caller: "busy" }), "busy", { order });
    for (let second = 0; second < 16; second += 1) {
      void runs(clock, ask({ caller: "busy" }), "other", { order });
      await clock.advance(1000);
    }
    expect(order.filter(({ name }) => name !== "other").map(({ name }) => name)).toEqual(["greedy", "greedy", "busy", "greedy"]);
  });

  it("lets a read pass now and then, however busy a trader is", async () => {
    const { clock, ask } = setUp();
    const held = await Promise.all(Array.from({ length: 40 }, () => ask()));
    const order: { name: string; sentAt: number; answeredAt: number }[] = [];
    for (let index = 0; index < 30; index += 1) void runs(clock, ask({ urgent: true, caller: "trader" }), "order", { order });
    void runs(clock, ask({ caller: "reader" }), "read", { order });
    for (const turn of held) turn.done(true);
    await clock.advance(2000);
    expect(order.map(({ name }) => name).indexOf("read")).toBe(9);
  });

  it("tells its observer what it does, by kind of endpoint", async () => {
    const clock = fakeClock();
    const heard: unknown[] = [];
    const observer = {
      sent: (about: object) => heard.push(about),
      refused: (endpointClass: string) => heard.push(endpointClass),
      limited: (reason: string) => heard.push(reason),
    };
    const pacer = new Pacer({ clock, log: pino({ enabled: false }), observer });
    const request = { caller: "a", urgent: false, repeatsPriming: false, signal: new AbortController().signal };
    const turn = await pacer.turn({ ...request, endpoint: "/pa/performance" });
    turn.refused();
    turn.done(true);
    await expect(pacer.turn({ ...request, endpoint: "/pa/performance" })).rejects.toMatchObject({ retryAfterSeconds: 901 });
    expect(heard).toEqual([{ endpointClass: "performance", urgent: false, waitedMs: 0 }, "performance", "wait"]);
  });

  it("gives up on those whose turn did not come within 20 seconds", async () => {
    const { clock, ask } = setUp();
    await ask({ endpoint: "/charts" });
    await ask({ endpoint: "/charts" });
    const waiting = expect(ask({ endpoint: "/charts" })).rejects.toMatchObject({ code: "rate_limited" });
    await clock.advance(20_001);
    await waiting;
  });

  it("closes an endpoint for longer and longer after each 429", async () => {
    const { clock, ask } = setUp();
    const turn = await ask({ endpoint: "/elsewhere" });
    turn.refused();
    turn.done(true);
    const order: { name: string; sentAt: number; answeredAt: number }[] = [];
    void runs(clock, ask({ endpoint: "/elsewhere" }), "after", { order });
    await expect(ask()).resolves.toBeDefined();
    await clock.advance(5000);
    expect(order).toHaveLength(0);
    await clock.advance(1100);
    expect(order).toHaveLength(1);
  });

  it("forgets a caller that hung up", async () => {
    const { clock, ask } = setUp();
    const held = await Promise.all(Array.from({ length: 40 }, () => ask()));
    const hangUp = new AbortController();
    const waiting = ask({ signal: hangUp.signal });
    hangUp.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    for (const turn of held) turn.done(true);
    await clock.advance(2000);
    const turns = await Promise.all(Array.from({ length: 40 }, () => ask()));
    expect(turns).toHaveLength(40);
  });

  it("lets the repeat of a priming call pass its endpoint's gate", async () => {
    const { ask } = setUp();
    (await ask({ endpoint: "/slow" })).done(true);
    await expect(ask({ endpoint: "/slow", repeatsPriming: true })).resolves.toBeDefined();
  });

  it("leaves places for the next order while somebody trades, and all to the reads otherwise", async () => {
    const { clock, ask } = setUp();
    const orders: { name: string; sentAt: number; answeredAt: number }[] = [];
    const reads: { name: string; sentAt: number; answeredAt: number }[] = [];
    const order = () => ask({ endpoint: "/iserver/account/{accountId}/orders", urgent: true, caller: "trader" });
    void runs(clock, order(), "first", { order: orders });
    for (let index = 0; index < 300; index += 1) void runs(clock, ask({ caller: `c${index % 5}` }), String(index), { order: reads });
    for (let placed = 0; placed < 20; placed += 1) {
      await clock.advance(250);
      const before = clock.now();
      void runs(clock, order(), "next", { order: orders });
      await clock.advance(0);
      expect(orders.at(-1)?.sentAt).toBe(before);
    }
    await clock.advance(70_000);
    expect(reads).toHaveLength(300);
    const start = clock.now();
    for (let index = 0; index < 50; index += 1) void runs(clock, ask(), `late ${index}`, { order: reads });
    await clock.advance(0);
    expect(reads.filter(({ sentAt }) => sentAt >= start)).toHaveLength(40);
    await clock.advance(5000);
  });

  it("lets a request that others wait for go before those that its own caller asked earlier, and before no one else's", async () => {
    const { clock, ask } = setUp();
    const order: { name: string; sentAt: number; answeredAt: number }[] = [];
    for (let index = 0; index < 40; index += 1) void runs(clock, ask(), "filling", { order });
    await clock.advance(0);
    for (const name of ["a1", "a2", "a3"]) void runs(clock, ask({ caller: "a" }), name, { order });
    void runs(clock, ask({ caller: "b" }), "b1", { order });
    void runs(clock, ask({ caller: "b", goesFirst: true }), "b2", { order });
    await clock.advance(5000);
    expect(order.slice(40).map(({ name }) => name)).toEqual(["a1", "b2", "a2", "b1", "a3"]);
  });
});
