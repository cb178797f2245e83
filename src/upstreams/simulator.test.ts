import { generateKeyPairSync } from "node:crypto";

import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { createSimulator, type Simulator } from "../simulator/index.ts";
import { createHostPolicy } from "./host-policy.ts";
import { connectUpstream } from "./index.ts";
import type { UpstreamDeps } from "./upstream.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await createSimulator({ pacing: { endpoints: false } });
});

afterAll(() => simulator.close());

const deps: UpstreamDeps = {
  clock: systemClock,
  random: systemRandom,
  log: pino({ enabled: false }),
  fetch,
  expectedMode: "simulated",
  embeddedSimulator: undefined,
  hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
};

const call = () => ({ signal: AbortSignal.timeout(15_000), caller: "test" });

function connect(over: { settings?: unknown; secrets?: Record<string, string>; embedded?: Simulator | undefined } = {}) {
  const stored = {
    kind: "simulator",
    settings: over.settings ?? { baseUrl: "embedded" },
    secrets: { ...simulator.credentials, proofKey: simulator.proofKey, ...over.secrets },
  };
  const embeddedSimulator = "embedded" in over ? over.embedded : simulator;
  return connectUpstream(stored, { ...deps, embeddedSimulator });
}

describe("simulator connection", () => {
  it("signs in with OAuth 1.0a and lists its accounts", async () => {
    const link = connect();
    const accounts = await link.accounts(call());
    expect(accounts.map((account) => account.accountId)).toEqual(simulator.accountIds);
    expect(accounts.map((account) => account.baseCurrency)).toContain("EUR");
    expect(link.mode).toBe("simulated");
    await link.close();
    await expect(link.ready(AbortSignal.timeout(1000))).rejects.toMatchObject({ code: "connection_not_ready" });
  });

  it("reaches a simulator that runs elsewhere, which proves that it is one", async () => {
    const link = connect({ settings: { baseUrl: `${simulator.baseUrl}/` }, embedded: undefined });
    await expect(link.accounts(call())).resolves.toHaveLength(simulator.accountIds.length);
    expect(link.health()).toMatchObject({ state: "established", provenMode: "simulated" });
    await link.close();
  });

  it("places orders through the guarded way to it", async () => {
    const link = connect({ settings: { baseUrl: simulator.baseUrl }, embedded: undefined });
    const [account] = await link.accounts(call());
    await expect(link.cashLedger(account?.accountId ?? "", call())).resolves.toMatchObject({ accountId: account?.accountId });
    await link.close();
  });

  it("takes the own simulator's present credentials, whatever an earlier version kept in the row", async () => {
    const kept = { consumerKey: "STALESTAL", proofKey: "" };
    for (const settings of [{ baseUrl: "embedded" }, { baseUrl: simulator.baseUrl }]) {
      const link = connect({ settings, secrets: kept });
      await expect(link.accounts(call())).resolves.toHaveLength(simulator.accountIds.length);
      await link.close();
    }
  });

  it("freezes where the proof is another simulator's", async () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    const proofKey = publicKey.export({ type: "spki", format: "pem" }).toString();
    const link = connect({ settings: { baseUrl: simulator.baseUrl }, secrets: { proofKey }, embedded: undefined });
    await expect(link.accounts(call())).rejects.toMatchObject({ code: "connection_frozen" });
    expect(link.health().state).toBe("frozen");
    await link.close();
    const own = connect({ embedded: { ...simulator, proofKey } });
    await expect(own.accounts(call())).rejects.toMatchObject({ code: "connection_frozen" });
    await own.close();
  });

  it("is not opened at an address that the gateway may not reach", () => {
    expect(() => connect({ settings: { baseUrl: "http://169.254.169.254/v1/api" }, embedded: undefined })).toThrow(/may not connect/);
  });

  it("says that IBKR does not know the consumer", async () => {
    const link = connect({ settings: { baseUrl: simulator.baseUrl }, secrets: { consumerKey: "NOBODYXYZ" }, embedded: undefined });
    await expect(link.accounts(call())).rejects.toMatchObject({
      code: "connection_not_ready",
      message: expect.stringContaining("consumer key"),
    });
    await link.close();
  });

  it("says that nobody listens", async () => {
    const link = connect({ settings: { baseUrl: "http://127.0.0.1:1/v1/api" } });
    await expect(link.accounts(call())).rejects.toMatchObject({ code: "upstream_unavailable" });
    await link.close();
  });

  const elsewhere = { settings: { baseUrl: "http://127.0.0.1:1/v1/api" }, embedded: undefined };
  it.each([
    ["no embedded simulator runs", { embedded: undefined }],
    ["its base URL is no URL", { settings: { baseUrl: "nowhere" } }],
    ["a secret is missing", { ...elsewhere, secrets: { dhPrime: "" } }],
    ["its proof key is missing", { ...elsewhere, secrets: { proofKey: "" } }],
    ["its proof key is none", { ...elsewhere, secrets: { proofKey: "x" } }],
    ["a key is no key", { ...elsewhere, secrets: { privateSignaturePem: "x" } }],
  ])("is refused when %s", (_why, over) => {
    expect(() => connect(over)).toThrow(expect.objectContaining({ code: "connection_not_ready" }));
  });

  it("is refused when its kind is unknown", () => {
    expect(() => connectUpstream({ kind: "carrier-pigeon", settings: {}, secrets: {} }, deps)).toThrow(/kind/);
  });
});
