import { beforeEach, describe, expect, test } from "vitest";

import { type FakeClock, fakeClock } from "../../test/support/fake-clock.ts";
import { recordingLog } from "../../test/support/silent-log.ts";
import { AccountTurns, turnOf } from "./account-turns.ts";

let clock: FakeClock;
let turns: AccountTurns;
let lines: Record<string, unknown>[];
let events: string[];

beforeEach(() => {
  clock = fakeClock();
  const recording = recordingLog();
  ({ lines } = recording);
  turns = new AccountTurns(clock, recording.log);
  events = [];
});

const turn = (account: string, action: () => Promise<string>, signal = new AbortController().signal) =>
  turns.run({ account, signal, action, whenLate: () => Promise.resolve("late") });

/** Work that ends when the test lets it. */
function held(name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const action = async () => {
    events.push(`${name} starts`);
    return await promise.finally(() => events.push(`${name} ends`));
  };
  return { action, end: () => resolve(name), fail: (error: Error) => reject(error) };
}

/** What work has come to by now: it never waits, so that work that hangs fails its test. */
async function now(work: Promise<unknown>): Promise<unknown> {
  const results: unknown[] = [];
  const end = (result: unknown) => void results.push(result);
  work.then(end, end);
  for (let round = 0; round < 100 && results.length === 0; round += 1) await clock.advance(0);
  return results.length === 0 ? "open" : results[0];
}

test("the turn of an account is named by its connection, too", () => {
  expect(turnOf({ connectionId: "con_1", accountId: "DU1" })).toBe("con_1 DU1");
});

describe("turns of one account", () => {
  test("come one after the other, in the order of arrival; other accounts don't wait", async () => {
    const [first, second, other] = [held("first"), held("second"), held("other")];
    const works = [turn("a", first.action), turn("a", second.action), turn("b", other.action)];
    await clock.advance(0);
    expect(events).toEqual(["first starts", "other starts"]);
    first.end();
    await clock.advance(0);
    expect(events.slice(2)).toEqual(["first ends", "second starts"]);
    second.end();
    other.end();
    expect(await now(Promise.all(works))).toEqual(["first", "second", "other"]);
  });

  test("end with their failure, and the next one comes", async () => {
    const failure = new Error("broken");
    expect(await now(turn("a", () => Promise.reject(failure)))).toBe(failure);
    expect(await now(turn("a", () => Promise.resolve("next")))).toBe("next");
  });

  test("may wait up to fifty at a time, in each account", async () => {
    const first = held("first");
    const waiting = Array.from({ length: 50 }, () => turn("a", first.action));
    expect(await now(turn("a", first.action))).toMatchObject({ code: "rate_limited" });
    expect(await now(turn("b", () => Promise.resolve("other")))).toBe("other");
    first.end();
    expect(await now(Promise.all(waiting))).toHaveLength(50);
    expect(events.filter((event) => event === "first starts")).toHaveLength(50);
    expect(await now(turn("a", () => Promise.resolve("again")))).toBe("again");
  });

  test("make room as each of them ends", async () => {
    const [first, others] = [held("first"), held("others")];
    const works = [turn("a", first.action), ...Array.from({ length: 49 }, () => turn("a", others.action))];
    first.end();
    expect(await now(Promise.all(works.slice(0, 1)))).toEqual(["first"]);
    works.push(turn("a", others.action));
    expect(await now(turn("a", others.action))).toMatchObject({ code: "rate_limited" });
    others.end();
    expect(await now(Promise.all(works))).toHaveLength(51);
  });
});

describe("a caller that leaves", () => {
  test("gets its late result, while its order runs to the end", async () => {
    const [order, caller] = [held("order"), new AbortController()];
    const work = turn("a", order.action, caller.signal);
    await clock.advance(0);
    caller.abort();
    expect(await now(work)).toBe("late");
    expect(events).toEqual(["order starts"]);
    order.fail(new Error("broken"));
    expect(await now(turns.idle())).toBeUndefined();
    expect(events).toEqual(["order starts", "order ends"]);
    expect(lines).toEqual([expect.objectContaining({ msg: expect.stringContaining("an order whose caller is gone") })]);
  });

  test("before it came gets its late result, too", async () => {
    expect(await now(turn("a", held("order").action, AbortSignal.abort()))).toBe("late");
  });

  test("after its order ended changes nothing", async () => {
    const caller = new AbortController();
    let late = 0;
    const action = () => Promise.resolve("done");
    const whenLate = () => {
      late += 1;
      return Promise.resolve("late");
    };
    expect(await now(turns.run({ account: "a", signal: caller.signal, action, whenLate }))).toBe("done");
    caller.abort();
    expect(late).toBe(0);
  });
});

test("closing waits for all that run or wait, also for those that fail", async () => {
  const [first, second] = [held("first"), held("second")];
  const works = Promise.allSettled([turn("a", first.action), turn("a", second.action)]);
  let isIdle = false;
  const idle = turns.idle().then(() => (isIdle = true));
  await clock.advance(0);
  first.fail(new Error("broken"));
  await clock.advance(0);
  expect(isIdle).toBe(false);
  second.end();
  expect(await now(idle)).toBe(true);
  expect(await now(works)).toMatchObject([{ status: "rejected" }, { status: "fulfilled" }]);
  expect(await now(turns.idle())).toBeUndefined();
});

describe("an exchange", () => {
  test("ends with its result, and its limit with it", async () => {
    const signals: AbortSignal[] = [];
    const work = turns.exchange((given) => {
      signals.push(given);
      return Promise.resolve("done");
    });
    expect([await now(work), clock.pending]).toEqual(["done", 0]);
    await clock.advance(60_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  test("is aborted after a minute, and says why", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const work = turns.exchange(async (signal) => {
      signal.addEventListener("abort", () => resolve(String(signal.reason)));
      return await promise;
    });
    await clock.advance(59_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await now(work)).toBe("Error: IBKR took too long to answer");
  });
});
