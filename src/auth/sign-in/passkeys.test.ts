import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type FakeClock, fakeClock } from "../../../test/support/fake-clock.ts";
import { seedOwner } from "../../../test/support/seed-keys.ts";
import { recordingLog } from "../../../test/support/silent-log.ts";
import { softAuthenticator, type CeremonyOptions, type SoftAuthenticator } from "../../../test/support/soft-authenticator.ts";
import { ENGINES, startEngine, type TestEngine } from "../../../test/support/storages.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Storage } from "../../storage/storage.ts";
import { createPasskeys, passkeyObstacle, type Passkeys } from "./passkeys.ts";

const ORIGIN = "https://gateway.example.com";
const HERE = "this browser's cookie";
const PLACE = { origin: ORIGIN, rpId: "gateway.example.com" };

describe.each(ENGINES)("passkeys on %s", (engine) => {
  let databases: TestEngine;
  let storage: Storage;
  let clock: FakeClock;
  let passkeys: Passkeys;
  let userId: string;
  let authenticator: SoftAuthenticator;
  beforeAll(async () => {
    databases = await startEngine(engine);
    storage = await (await databases.createDatabase()).open();
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    clock = fakeClock();
    const { log } = recordingLog();
    passkeys = createPasskeys({ storage, clock, random: systemRandom, log, fetch, publicUrl: () => ORIGIN });
    ({ userId } = await seedOwner(storage));
    authenticator = softAuthenticator();
  });
  const challengeToAdd = async () => (await passkeys.optionsToAdd({ userId, loginName: "ada", displayName: "Ada" }, HERE)).challenge;
  const add = async (changes: Partial<CeremonyOptions> = {}, browser = HERE) => {
    const credential = authenticator.register({ challenge: await challengeToAdd(), ...PLACE, ...changes });
    return await passkeys.add(userId, browser, { credential, label: "Laptop" });
  };
  const reply = async (changes: Partial<CeremonyOptions> = {}) => {
    const { challenge } = await passkeys.optionsToSignIn(HERE);
    return { credential: authenticator.sign({ challenge, ...PLACE, ...changes }) };
  };

  it("are asked for with verification of the person, discoverable, and not twice on one authenticator", async () => {
    await add();
    const options = await passkeys.optionsToAdd({ userId, loginName: "ada", displayName: "Ada" }, HERE);
    expect(options).toMatchObject({
      rp: { id: "gateway.example.com" },
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      attestation: "none",
      excludeCredentials: [{ id: authenticator.credentialId }],
    });
    expect(Buffer.from(options.challenge, "base64url")).toHaveLength(32);
    expect(await passkeys.optionsToSignIn(HERE)).toMatchObject({ rpId: "gateway.example.com", userVerification: "required" });
  });

  it("sign their owner in", async () => {
    expect(await add()).toMatchObject({ kind: "right", passkey: { label: "Laptop", transports: '["internal"]' } });
    expect(await passkeys.signIn(HERE, await reply({ userHandle: userId }))).toEqual({ kind: "right", userId });
    expect(await passkeys.list(userId)).toMatchObject([{ id: authenticator.credentialId, last_used_at: clock.now() }]);
    expect(await passkeys.remove("usr_other", authenticator.credentialId)).toBe(false);
    expect(await passkeys.remove(userId, authenticator.credentialId)).toBe(true);
    expect(await passkeys.signIn(HERE, await reply())).toMatchObject({ kind: "wrong" });
  });

  it("serve once for each challenge, within five minutes, in the browser that asked", async () => {
    await add();
    const once = await reply();
    expect(await passkeys.signIn("another browser's cookie", once)).toMatchObject({ kind: "wrong" });
    expect(await passkeys.signIn(HERE, once)).toMatchObject({ kind: "right" });
    expect(await passkeys.signIn(HERE, once)).toMatchObject({ kind: "wrong" });
    const late = await reply();
    await clock.advance(300_000);
    expect(await passkeys.signIn(HERE, late)).toMatchObject({ kind: "wrong" });
    expect(await passkeys.signIn(HERE, { credential: authenticator.sign({ challenge: await challengeToAdd(), ...PLACE }) })).toMatchObject({
      kind: "wrong",
    });
  });

  it.each<[string, Partial<CeremonyOptions>]>([
    ["another site", { origin: "https://gateway.example.com.evil.example" }],
    ["another port", { origin: "https://gateway.example.com:8443" }],
    ["another relying party", { rpId: "example.com" }],
    ["an unverified person", { isVerified: false }],
    ["another challenge", { challenge: "A".repeat(43) }],
  ])("are refused, added or used, with %s", async (_what, changes) => {
    expect(await add(changes)).toMatchObject({ kind: "wrong" });
    await add();
    expect(await passkeys.signIn(HERE, await reply(changes))).toMatchObject({ kind: "wrong" });
    expect(await passkeys.signIn(HERE, await reply({ userHandle: "usr_other" }))).toMatchObject({ kind: "wrong" });
  });

  it("whose counter does not grow are copies; one that stays 0 isn't kept", async () => {
    await add();
    for (const counter of [0, 0, 5, 6]) expect(await passkeys.signIn(HERE, await reply({ counter }))).toMatchObject({ kind: "right" });
    for (const counter of [6, 5, 0]) expect(await passkeys.signIn(HERE, await reply({ counter }))).toMatchObject({ kind: "wrong" });
    const twins = [await reply({ counter: 7 }), await reply({ counter: 7 })];
    const results = await Promise.all(twins.map((twin) => passkeys.signIn(HERE, twin)));
    expect(results.filter(({ kind }) => kind === "right")).toHaveLength(1);
  });

  it("are a closed form: anything else is refused", async () => {
    for (const body of [undefined, null, {}, { credential: {} }, { credential: { id: "x", response: {} } }, "text"]) {
      expect(await passkeys.signIn(HERE, body)).toMatchObject({ kind: "wrong" });
      expect(await passkeys.add(userId, HERE, body)).toMatchObject({ kind: "wrong" });
    }
  });

  it("belong to one user, who has at most twenty", async () => {
    await add();
    expect(await add()).toMatchObject({ kind: "wrong", reason: "it is in use already" });
    for (let count = 1; count < 20; count += 1) {
      authenticator = softAuthenticator();
      expect(await add()).toMatchObject({ kind: "right" });
    }
    authenticator = softAuthenticator();
    expect(await add()).toMatchObject({ kind: "wrong", reason: expect.stringContaining("at most 20") });
  });
});

it.each([
  ["http://localhost:8080", undefined],
  ["https://gateway.example.com", undefined],
  ["http://127.0.0.1:8080", "ip_address"],
  ["http://[::1]:8080", "ip_address"],
])("passkeys at %s: %s", (publicUrl, obstacle) => {
  expect(passkeyObstacle(publicUrl)).toBe(obstacle);
});
