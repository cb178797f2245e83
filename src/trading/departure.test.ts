import { beforeEach, expect, test } from "vitest";

import { Departure } from "./departure.ts";

let now: number;
const clock = { monotonic: () => now };
const permitted = () => Promise.resolve({ value: "sending", at: now });

beforeEach(() => {
  now = 50_000;
});

function refusalOf(departure: Departure<string>): unknown {
  try {
    departure.check();
    return undefined;
  } catch (error) {
    return error;
  }
}

test("what is allowed may leave for two seconds", async () => {
  const departure = new Departure(clock, permitted);
  await departure.allow();
  now += 2_000;
  expect(() => departure.check()).not.toThrow();
  now += 1;
  expect(refusalOf(departure)).toMatchObject({
    code: "timeout",
    message: "its permission was too old when it could have left.",
    whatToDo: "",
    retryAfterSeconds: 5,
  });
  expect(await departure.outcome()).toBe("sending");
});

test("nothing leaves that was not allowed", () => {
  expect(() => new Departure(clock, permitted).check()).toThrow("too old");
});

test("a permission's age counts from before its commit", async () => {
  const departure = new Departure(clock, async () => {
    const allowed = { value: "sending", at: now };
    now += 300_000;
    return await Promise.resolve(allowed);
  });
  await departure.allow();
  expect(() => departure.check()).toThrow("too old");
});

test("what was given up while it waited is never allowed", async () => {
  let asked = 0;
  const departure = new Departure(clock, () => {
    asked += 1;
    return permitted();
  });
  expect(departure.giveUp()).toBe(true);
  await expect(departure.allow()).rejects.toMatchObject({ code: "timeout" });
  expect([asked, await departure.outcome(), departure.isGivenUp]).toEqual([0, undefined, true]);
});

test("what is being decided can't be given up any more", async () => {
  const departure = new Departure(clock, permitted);
  const allowing = departure.allow();
  expect([departure.giveUp(), departure.isGivenUp]).toEqual([false, false]);
  await allowing;
  expect(await departure.outcome()).toBe("sending");
});

test("a refusal is no outcome", async () => {
  const departure = new Departure(clock, () => Promise.reject(new Error("revoked")));
  await expect(departure.allow()).rejects.toThrow("revoked");
  expect(await departure.outcome()).toBeUndefined();
  expect(() => departure.check()).toThrow("too old");
});
