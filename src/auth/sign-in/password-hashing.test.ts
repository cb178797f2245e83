import { describe, expect, it } from "vitest";

import { systemClock } from "../../lib/clock.ts";
import { createPasswordHasher, PasswordsBusyError } from "./password-hashing.ts";

const cheap = { memoryKib: 64, passes: 1 };

describe("a password hash", () => {
  it("is argon2id with a salt of its own and checks the password only", async () => {
    const hasher = createPasswordHasher();
    const [first, second] = await Promise.all([hasher.hash("a good password"), hasher.hash("a good password")]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=32768,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(second).not.toBe(first);
    expect(await hasher.verify("a good password", first)).toEqual({ matches: true, outdated: false });
    expect(await hasher.verify("a good passwore", first)).toEqual({ matches: false, outdated: false });
  });

  it("does not depend on how the same characters are typed", async () => {
    const hasher = createPasswordHasher({ cost: cheap });
    expect(await hasher.verify("cafe\u0301 au lait", await hasher.hash("caf\u00e9 au lait"))).toMatchObject({ matches: true });
  });

  it("made at another cost is checked and called outdated", async () => {
    const stored = await createPasswordHasher({ cost: cheap }).hash("a good password");
    const hasher = createPasswordHasher({ cost: { memoryKib: 128, passes: 1 } });
    expect(await hasher.verify("a good password", stored)).toEqual({ matches: true, outdated: true });
  });

  it("of unknown form is a fault, not a wrong password", async () => {
    await expect(createPasswordHasher({ cost: cheap }).verify("x", "$2b$10$abc")).rejects.toThrow("unknown form");
  });

  it("(25) takes as long for an unknown user as for a known one, and never matches there", async () => {
    const hasher = createPasswordHasher();
    const stored = await hasher.hash("a good password");
    const time = async (against: string | undefined): Promise<number> => {
      const start = systemClock.monotonic();
      expect(await hasher.verify("another password", against)).toMatchObject({ matches: false });
      return systemClock.monotonic() - start;
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      known.push(await time(stored));
      unknown.push(await time(undefined));
    }
    // The fastest of each: what else runs on the machine only ever adds.
    const ratio = Math.min(...unknown) / Math.min(...known);
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.7);
  });

  it("is computed for two at once and a hundred in turn; more are told to come again", async () => {
    const hasher = createPasswordHasher({ cost: cheap });
    const results = await Promise.allSettled(Array.from({ length: 110 }, () => hasher.hash("a good password")));
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused).toHaveLength(8);
    expect(refused[0]?.reason).toBeInstanceOf(PasswordsBusyError);
    expect(await hasher.hash("again")).toMatch(/^\$argon2id/);
  });
});
