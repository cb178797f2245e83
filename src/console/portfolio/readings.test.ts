import { describe, expect, it } from "vitest";

import { fakeClock } from "../../../test/support/fake-clock.ts";
import { recordingLog, silentLog } from "../../../test/support/silent-log.ts";
import { GatewayError } from "../../lib/errors.ts";
import { Readings } from "./readings.ts";

function bench() {
  const clock = fakeClock();
  const { log, lines } = recordingLog();
  const readings = new Readings<string>({ clock, log, freshMs: 4_000, maxEntries: 2 });
  let asked = 0;
  const answers = (answer: () => Promise<string>) => ({
    load: () => {
      asked += 1;
      return answer();
    },
  });
  return { clock, readings, lines, answers, asked: () => asked };
}

const down = new GatewayError("upstream_unavailable", "IBKR is down.", { whatToDo: "Wait.", link: "/help/troubleshooting" });

describe("a part of a page", () => {
  it("is read once by all who ask at once, and not again while it is fresh", async () => {
    const { clock, readings, answers, asked } = bench();
    const read = answers(() => Promise.resolve("a"));
    const [first, second] = await Promise.all([readings.read("k", read), readings.read("k", read)]);
    expect([first, second].map(({ value, isPending }) => [value, isPending])).toEqual([
      ["a", false],
      ["a", false],
    ]);
    await clock.advance(3_999);
    expect((await readings.read("k", read)).readAt).toBe(clock.now() - 3_999);
    expect(asked()).toBe(1);
    await clock.advance(1);
    await readings.read("k", read);
    expect(asked()).toBe(2);
    await clock.advance(5_000);
    await readings.read("k", { ...read, pace: { freshMs: 9_000 } });
    expect(asked()).toBe(2);
  });

  it("keeps a page waiting for three seconds at most, and is there for the next", async () => {
    const { clock, readings, answers } = bench();
    const { promise, resolve } = Promise.withResolvers<string>();
    const waiting = readings.read(
      "k",
      answers(() => promise),
    );
    await clock.advance(3_000);
    expect(await waiting).toEqual({ value: undefined, readAt: undefined, fault: undefined, isPending: true });
    expect((await readings.read("k", { ...answers(() => promise), pace: { until: clock.now() } })).isPending).toBe(true);
    resolve("late");
    await clock.advance(0);
    expect(
      (
        await readings.read(
          "k",
          answers(() => promise),
        )
      ).value,
    ).toBe("late");
  });

  it("keeps its older value beside what failed, and is not asked for again at once", async () => {
    const { clock, readings, answers, asked } = bench();
    await readings.read(
      "k",
      answers(() => Promise.resolve("old")),
    );
    await clock.advance(5_000);
    const failed = await readings.read(
      "k",
      answers(() => Promise.reject(down)),
    );
    expect(failed).toMatchObject({ value: "old", fault: { message: "IBKR is down.", whatToDo: "Wait.", link: "/help/troubleshooting" } });
    await readings.read(
      "k",
      answers(() => Promise.reject(down)),
    );
    expect(asked()).toBe(2);
    await clock.advance(2_000);
    expect(
      await readings.read(
        "k",
        answers(() => Promise.resolve("new")),
      ),
    ).toMatchObject({ value: "new", fault: undefined });
  });

  it("says that nothing came in time, and logs faults of our own", async () => {
    const { clock, readings, lines } = bench();
    const never = readings.read("late", {
      load: (signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("stopped")))),
    });
    await clock.advance(30_000);
    await never;
    expect((await readings.read("late", { load: () => Promise.resolve("x") })).fault?.message).toContain("didn't answer in time");
    const broken = await readings.read("broken", { load: () => Promise.reject(new TypeError("oops")) });
    expect(broken.fault?.message).toContain("fault in this gateway");
    expect(lines.map(({ msg }) => msg)).toEqual(["a part of a page could not be read"]);
  });

  it("is forgotten when more is read than there is room for, or after a quarter of an hour", async () => {
    const clock = fakeClock();
    const readings = new Readings<string>({ clock, log: silentLog, freshMs: 4_000, maxEntries: 2 });
    for (const key of ["a", "b", "c"]) await readings.read(key, { load: () => Promise.resolve(key) });
    const fails = { load: () => Promise.reject(down) };
    expect((await readings.read("a", fails)).value).toBeUndefined();
    await clock.advance(15 * 60_000);
    expect((await readings.read("c", fails)).value).toBeUndefined();
  });
});
