import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import type { Turn } from "./pacing.ts";
import { createUserBudgets, type UserBudget } from "./user-budgets.ts";

function setUp() {
  const clock = fakeClock();
  return { clock, budgets: createUserBudgets({ clock, log: silentLog }) };
}

const ask = (budget: UserBudget, caller = "a"): Promise<Turn> =>
  budget.pacer.turn({ endpoint: "/any", caller, urgent: false, repeatsPriming: false, signal: new AbortController().signal });

/** Takes turns until none is free now; the answers do not come. */
async function turnsNow(clock: ReturnType<typeof fakeClock>, budget: UserBudget): Promise<number> {
  let granted = 0;
  for (let index = 0; index < 60; index += 1)
    ask(budget).then(
      () => (granted += 1),
      () => undefined,
    );
  await clock.advance(0);
  return granted;
}

describe("the budget of an IBKR user", () => {
  it("is one for all links that log in alike, and another for each other login", async () => {
    const { clock, budgets } = setUp();
    const [first, second, other] = [budgets.join("key A", "oauth"), budgets.join("key A", "oauth"), budgets.join("key B", "oauth")];
    expect(second.pacer).toBe(first.pacer);
    expect(second.selection).toBe(first.selection);
    expect(other.pacer).not.toBe(first.pacer);
    expect(await turnsNow(clock, first)).toBe(40);
    expect(await turnsNow(clock, second)).toBe(0);
    expect(await turnsNow(clock, other)).toBe(40);
    expect(budgets.figures()).toEqual({ users: 2, queuedUrgent: 0, queuedReads: 100, inFlight: 80 });
  });

  it("becomes one when two logins turn out to be of one user, with all that is on its way and all that waits", async () => {
    const { clock, budgets } = setUp();
    const first = budgets.join("key A", "oauth", { isVouched: true });
    const second = budgets.join("key B", "oauth", { isVouched: true });
    const early = await Promise.all(Array.from({ length: 30 }, () => ask(first)));
    const late = await Promise.all(Array.from({ length: 40 }, () => ask(second)));
    const { pacer } = second;
    const waiting = ask(second, "b");
    first.rename("Ada123");
    second.rename("ada123");
    expect(second.pacer).toBe(first.pacer);
    expect(budgets.figures()).toEqual({ users: 1, queuedUrgent: 0, queuedReads: 1, inFlight: 70 });
    for (const turn of [...early, ...late]) turn.done(true);
    await clock.advance(1100);
    (await waiting).done(true);
    const throughOld = pacer.turn({
      endpoint: "/any",
      caller: "c",
      urgent: false,
      repeatsPriming: false,
      signal: new AbortController().signal,
    });
    await expect(throughOld).resolves.toBeDefined();
    expect(budgets.figures().inFlight).toBe(1);
  });

  it("is a gateway's while one of the links goes through a gateway", async () => {
    const { clock, budgets } = setUp();
    const oauth = budgets.join("key A", "oauth", { isVouched: true });
    const gateway = budgets.join("https://localhost:5000", "gateway");
    oauth.rename("ada123");
    gateway.rename("ada123");
    expect(await turnsNow(clock, oauth)).toBe(8);
    gateway.leave();
    await clock.advance(0);
    expect(budgets.figures().inFlight).toBe(40);
  });

  it("is not shared on the word of a gateway that another person runs", () => {
    const { budgets } = setUp();
    const ada = budgets.ofOwner("ada");
    const mallory = budgets.ofOwner("mallory");
    const own = ada.join("key A", "oauth", { isVouched: true });
    const liar = mallory.join("https://mallory.example", "gateway");
    const ownGateway = ada.join("https://ada.example", "gateway");
    for (const budget of [own, liar, ownGateway]) budget.rename("ada123");
    expect(liar.pacer).not.toBe(own.pacer);
    expect(liar.selection).not.toBe(own.selection);
    expect(ownGateway.pacer).toBe(own.pacer);
  });

  it("is one while any of its links is left", () => {
    const { budgets } = setUp();
    const [first, second] = [budgets.join("key A", "oauth"), budgets.join("key A", "oauth")];
    first.leave();
    first.leave();
    expect(budgets.join("key A", "oauth").pacer).toBe(second.pacer);
    second.leave();
    expect(budgets.figures().users).toBe(1);
  });

  it("outlasts its last link, so that closing and opening again spends nothing twice", async () => {
    const { clock, budgets } = setUp();
    const first = budgets.join("key A", "oauth");
    const { pacer } = first;
    expect(await turnsNow(clock, first)).toBeGreaterThan(0);
    first.leave();
    expect(budgets.figures().users).toBe(0);
    const second = budgets.join("key A", "oauth");
    expect(await turnsNow(clock, second)).toBe(0);
    second.leave();
    await clock.advance(14 * 60_000);
    const third = budgets.join("key A", "oauth");
    expect(third.pacer).toBe(pacer);
    third.leave();
    await clock.advance(15 * 60_000);
    expect(budgets.join("key A", "oauth").pacer).not.toBe(pacer);
  });
});
