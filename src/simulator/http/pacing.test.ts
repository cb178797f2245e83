import { beforeEach, describe, expect, test } from "vitest";

import { Competition } from "../session/competition.ts";
import { NO_MAINTENANCE } from "../session/maintenance.ts";
import { UserSession } from "../session/user-session.ts";
import { TestClock } from "../test-clock.ts";
import { Pacing } from "./pacing.ts";
import type { Release } from "./pacing.ts";
import { ok } from "./route.ts";
import type { Route } from "./route.ts";

const route = (path: string, rest: Partial<Route>): Route => ({ method: "GET", path, tier: "sso", handle: () => ok({}), ...rest });
const accounts = route("/portfolio/accounts", { pacing: { requests: 1, perMs: 5_000 } });
const orders = route("/iserver/account/orders", { pacing: { requests: 1, perMs: 5_000 }, primes: true });
const history = route("/iserver/marketdata/history", { pacing: { concurrent: 5 } });

const surroundings = { competition: new Competition(), lastReset: NO_MAINTENANCE.lastReset, brokerageEnded: () => undefined };

let clock: TestClock;
let session: UserSession;
let pacing: Pacing;

beforeEach(() => {
  clock = new TestClock();
  session = new UserSession({ userName: "ada", userId: 1, paper: true, accountIds: ["DU1"] }, "s", surroundings);
  pacing = new Pacing(clock, {});
});

function enter(paced: Route, query = ""): Release | undefined {
  return pacing.enter({ session, route: paced, query: new URLSearchParams(query), now: clock.now() });
}

function call(paced: Route, { query = "", status = 200 } = {}): boolean {
  const release = enter(paced, query);
  release?.(status);
  return release !== undefined;
}

describe("the limit over all endpoints", () => {
  test("is fifty requests in any second of one user", () => {
    const admitted = Array.from({ length: 60 }, () => pacing.admit(session, clock.now()));
    expect(admitted.filter(Boolean)).toHaveLength(50);
    clock.advance(999);
    expect(pacing.admit(session, clock.now())).toBe(false);
    clock.advance(1);
    expect(pacing.admit(session, clock.now())).toBe(true);
  });

  test("can be set", () => {
    const strict = new Pacing(clock, { requestsPerSecond: 1 });
    expect([strict.admit(session, 0), strict.admit(session, 0)]).toEqual([true, false]);
  });
});

describe("the limit of an endpoint", () => {
  test("lets a request through again after its time", () => {
    expect([call(accounts), call(accounts)]).toEqual([true, false]);
    clock.advance(5_000);
    expect(call(accounts)).toBe(true);
  });

  test("does not touch other endpoints, and can be switched off", () => {
    expect(call(accounts)).toBe(true);
    expect(call(route("/portfolio/subaccounts", { pacing: { requests: 1, perMs: 5_000 } }))).toBe(true);
    pacing = new Pacing(clock, { endpoints: false });
    expect([call(accounts), call(accounts)]).toEqual([true, true]);
  });

  test("counts a priming call and its repeat as one", () => {
    expect([call(orders), call(orders), call(orders)]).toEqual([true, true, false]);
    clock.advance(5_000);
    expect([call(orders), call(orders)]).toEqual([true, false]);
  });

  test("does not count refusals before the priming call", () => {
    expect([call(orders, { status: 500 }), call(orders, { status: 500 }), call(orders), call(orders), call(orders)]).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  test("takes a forced read as a priming call, but not a row of them", () => {
    call(orders);
    clock.advance(10_000);
    const force = { query: "force=true" };
    expect([call(orders, force), call(orders), call(orders)]).toEqual([true, true, false]);
    clock.advance(5_000);
    expect([call(orders, force), call(orders, force), call(orders, force)]).toEqual([true, true, false]);
  });

  test("begins anew with the brokerage session", () => {
    call(orders);
    call(orders);
    session.openBrokerage(clock.now(), true);
    expect([call(orders), call(orders), call(orders)]).toEqual([true, true, false]);
  });
});

describe("a limit on what runs at once", () => {
  test("refuses the sixth and takes another once one is done", () => {
    const running = Array.from({ length: 5 }, () => enter(history));
    expect(running.every((release) => release !== undefined)).toBe(true);
    expect(enter(history)).toBeUndefined();
    running[0]?.(200);
    expect(enter(history)).toBeDefined();
    expect(enter(history)).toBeUndefined();
  });
});

describe("the penalty box", () => {
  test("is off by default", () => {
    pacing.punish("10.0.0.1");
    expect(pacing.isBoxed("10.0.0.1")).toBe(false);
  });

  test("keeps an address for its time", () => {
    pacing = new Pacing(clock, { penaltyBoxMs: 1_000 });
    pacing.punish("10.0.0.1");
    expect([pacing.isBoxed("10.0.0.1"), pacing.isBoxed("10.0.0.2")]).toEqual([true, false]);
    clock.advance(1_000);
    expect(pacing.isBoxed("10.0.0.1")).toBe(false);
  });
});
