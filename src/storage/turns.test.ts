import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { Turns } from "./turns.ts";

/** Lets promises settle. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("turns", () => {
  it("are given one at a time, in the order of asking, however many wait", async () => {
    const turns = new Turns(fakeClock());
    const order: number[] = [];
    let holding = 0;
    const most: number[] = [];
    const take = async (index: number): Promise<void> => {
      await turns.take();
      holding += 1;
      most.push(holding);
      order.push(index);
      await settle();
      holding -= 1;
      turns.give();
    };
    await Promise.all(Array.from({ length: 3_000 }, (_value, index) => take(index)));
    expect(order).toEqual(Array.from({ length: 3_000 }, (_value, index) => index));
    expect(new Set(most)).toEqual(new Set([1]));
    await turns.close();
  });

  it("are refused after 30 seconds of waiting, and go on in order for those who came later", async () => {
    const clock = fakeClock();
    const turns = new Turns(clock);
    await turns.take();
    const early = expect(turns.take()).rejects.toThrow("busy with one transaction for over 30 seconds");
    await clock.advance(20_000);
    const late = turns.take();
    await clock.advance(12_000);
    await early;
    turns.give();
    await late;
    turns.give();
    await turns.close();
  });

  it("are refused at once when far too many wait", async () => {
    const turns = new Turns(fakeClock());
    await turns.take();
    const waiting = Array.from({ length: 20_000 }, () => turns.take());
    await expect(turns.take()).rejects.toThrow("overloaded");
    const refused = Promise.allSettled(waiting);
    const closing = turns.close();
    turns.give();
    await closing;
    expect(new Set((await refused).map((result) => result.status))).toEqual(new Set(["rejected"]));
  });

  it("end with the running one on close; whoever waits or comes later is refused", async () => {
    const clock = fakeClock();
    const turns = new Turns(clock);
    await turns.take();
    const waiting = expect(turns.take()).rejects.toThrow("closed");
    let closed = false;
    const closing = turns.close().then(() => {
      closed = true;
      return closed;
    });
    await waiting;
    await expect(turns.take()).rejects.toThrow("closed");
    await settle();
    expect(closed).toBe(false);
    turns.give();
    await closing;
    expect(clock.pending).toBe(0);
  });
});
