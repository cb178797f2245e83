import { beforeEach, describe, expect, test } from "vitest";

import { AttemptAges } from "./attempt-ages.ts";

let now: number;
let ages: AttemptAges;

const attempt = (changes: Partial<Parameters<AttemptAges["atLeast"]>[0]> = {}) => ({
  id: "att_1",
  connection_id: "con_1",
  first_sent_broker_at: null,
  sent_broker_at: null,
  placed_broker_at: null,
  ...changes,
});

beforeEach(() => {
  now = 1_000;
  ages = new AttemptAges({ monotonic: () => now });
});

describe("an attempt of this process", () => {
  test("counts from its newest sending, and from its first for what IBKR remembers", () => {
    ages.sent("att_1", true);
    now += 5_000;
    ages.sent("att_1", false);
    now += 2_000;
    expect([ages.atLeast(attempt()), ages.atMostSinceFirst(attempt())]).toEqual([2_000, 7_000]);
  });

  test("doesn't count from its first sending where another process sent it before", () => {
    ages.sent("att_1", false);
    now += 2_000;
    expect([ages.atLeast(attempt()), ages.atMostSinceFirst(attempt())]).toEqual([2_000, undefined]);
  });

  test("is not made older by what IBKR's time says", () => {
    ages.sent("att_1", true);
    ages.heard("con_1", 90_000_000);
    now += 1_000;
    expect(ages.atLeast(attempt({ sent_broker_at: 0 }))).toBe(1_000);
  });
});

describe("an attempt of another process", () => {
  const sent = attempt({ first_sent_broker_at: 10_000, sent_broker_at: 70_000 });

  test("counts by IBKR's time then and now, which the monotonic clock carries on", () => {
    ages.heard("con_1", 100_000);
    now += 5_000;
    expect([ages.atLeast(sent), ages.atMostSinceFirst(sent)]).toEqual([35_000, 95_000]);
  });

  test("has no known age without IBKR's time, or with that of another connection", () => {
    expect([ages.atLeast(sent), ages.atMostSinceFirst(sent)]).toEqual([0, undefined]);
    ages.heard("con_2", 100_000);
    ages.heard("con_1", undefined);
    expect([ages.atLeast(sent), ages.atMostSinceFirst(sent)]).toEqual([0, undefined]);
  });

  test("is at least as old as this process has known it", () => {
    ages.seen("att_1");
    now += 40_000;
    ages.seen("att_1");
    expect(ages.atLeast(attempt())).toBe(40_000);
    ages.heard("con_1", 100_000);
    expect(ages.atLeast(sent)).toBe(40_000);
    now += 1;
    expect(ages.atLeast(attempt({ sent_broker_at: 0 }))).toBe(100_001);
  });
});

describe("the time since an order was placed", () => {
  test("counts from this process's knowledge", () => {
    ages.placed("att_1");
    now += 59_999;
    expect(ages.sincePlaced(attempt({ placed_broker_at: 0 }))).toBe(59_999);
  });

  test("counts by IBKR's time where another process learnt it", () => {
    ages.heard("con_1", 100_000);
    expect(ages.sincePlaced(attempt({ placed_broker_at: 30_000 }))).toBe(70_000);
  });

  test("begins at the first question about it where nothing is known", () => {
    expect(ages.sincePlaced(attempt())).toBe(0);
    now += 60_000;
    expect(ages.sincePlaced(attempt())).toBe(60_000);
  });
});

describe("what is known of an attempt", () => {
  test("keeps its first sending when it is sent as the first again", () => {
    ages.sent("att_1", true);
    now += 5_000;
    ages.sent("att_1", true);
    expect([ages.atLeast(attempt()), ages.atMostSinceFirst(attempt())]).toEqual([0, 5_000]);
  });

  test("keeps its sending when it is placed, and counts from there where it was not sent here", () => {
    ages.sent("att_1", true);
    now += 5_000;
    ages.placed("att_1");
    ages.placed("att_2");
    now += 1_000;
    expect([ages.atLeast(attempt()), ages.atLeast(attempt({ id: "att_2" }))]).toEqual([6_000, 1_000]);
  });

  test("keeps the moment of its placing, whatever IBKR's time says", () => {
    ages.placed("att_1");
    now += 1_000;
    expect([ages.sincePlaced(attempt()), ages.sincePlaced(attempt())]).toEqual([1_000, 1_000]);
    ages.heard("con_1", 100_000);
    expect(ages.sincePlaced(attempt({ placed_broker_at: 30_000 }))).toBe(1_000);
    const other = attempt({ id: "att_2", placed_broker_at: 30_000 });
    now += 1_000;
    expect([ages.sincePlaced(other), ages.sincePlaced({ ...other, placed_broker_at: null })]).toEqual([71_000, 0]);
    // A look at it is not its placing.
    const third = attempt({ id: "att_3", placed_broker_at: 30_000 });
    ages.sincePlaced(third);
    now += 1_000;
    expect(ages.sincePlaced(third)).toBe(72_000);
  });

  test("is nothing by IBKR's time where it was not stored", () => {
    ages.heard("con_1", 100_000);
    expect([ages.atLeast(attempt()), ages.atMostSinceFirst(attempt())]).toEqual([0, undefined]);
  });

  test("is kept for ten thousand attempts, the newest of which count", () => {
    ages.sent("att_1", true);
    ages.sent("att_2", true);
    ages.sent("att_1", false);
    for (let index = 0; index < 9_999; index += 1) ages.seen(`other_${index}`);
    now += 1_000;
    expect([ages.atLeast(attempt()), ages.atLeast(attempt({ id: "att_2" }))]).toEqual([1_000, 0]);
  });
});

test("the oldest of too many are forgotten", () => {
  ages.sent("att_1", true);
  for (let index = 0; index < 10_000; index += 1) ages.seen(`other_${index}`);
  now += 1_000;
  expect(ages.atLeast(attempt())).toBe(0);
});
