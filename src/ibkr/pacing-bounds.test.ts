/** The bounds of the queues. A test of its own, since filling them takes seconds and script/mutate runs the others for each mutant. */
import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { Pacer, type TurnRequest } from "./pacing.ts";

/** A pacer whose thousand places are taken. */
async function setUp() {
  const clock = fakeClock();
  const reasons: string[] = [];
  const observer = { sent: () => undefined, refused: () => undefined, limited: (reason: string) => void reasons.push(reason) };
  const pacer = new Pacer({ clock, log: silentLog, observer }, { global: { requests: 1000, perMs: 1000 }, endpoints: {} });
  const ask = (part: Partial<TurnRequest> = {}) =>
    pacer.turn({ endpoint: "/any", caller: "a", urgent: false, repeatsPriming: false, signal: new AbortController().signal, ...part });
  const queue = (part: Partial<TurnRequest>) => void ask(part).catch(() => undefined);
  await Promise.all(Array.from({ length: 1000 }, () => ask({ caller: "filler" })));
  return { clock, pacer, reasons, ask, queue };
}

describe("waiting", () => {
  it("is for 400 requests of one caller and queue at most", async () => {
    const { clock, pacer, reasons, ask, queue } = await setUp();
    for (let index = 0; index < 400; index += 1) queue({ caller: "greedy" });
    await clock.advance(0);
    expect(pacer.figures).toEqual({ urgent: 0, reads: 400, inFlight: 1000 });
    await expect(ask({ caller: "greedy" })).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 1 });
    expect(reasons).toEqual(["caller_queue"]);
    queue({ caller: "greedy", urgent: true });
    queue({ caller: "modest" });
    await clock.advance(0);
    expect(pacer.figures).toEqual({ urgent: 1, reads: 401, inFlight: 1000 });
  });

  it("is for 4,000 requests of all callers at most, orders among them", async () => {
    const { clock, pacer, reasons, ask, queue } = await setUp();
    for (let index = 0; index < 3999; index += 1) queue({ caller: `c${index % 50}` });
    queue({ caller: "trader", urgent: true });
    await clock.advance(0);
    expect(pacer.figures).toEqual({ urgent: 1, reads: 3999, inFlight: 1000 });
    await expect(ask({ caller: "late" })).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 20 });
    expect(reasons).toEqual(["queue"]);
  });
});
