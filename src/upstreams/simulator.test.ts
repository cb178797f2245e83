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
    secrets: { ...simulator.credentials, ...over.secrets },
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

  it("reaches a simulator that runs elsewhere", async () => {
    const link = connect({ settings: { baseUrl: `${simulator.baseUrl}/` }, embedded: undefined });
    await expect(link.accounts(call())).resolves.toHaveLength(simulator.accountIds.length);
    await link.close();
  });

  it("says that IBKR does not know the consumer", async () => {
    const link = connect({ secrets: { consumerKey: "NOBODYXYZ" } });
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

  it.each([
    ["no embedded simulator runs", { embedded: undefined }],
    ["its base URL is no URL", { settings: { baseUrl: "nowhere" } }],
    ["a secret is missing", { secrets: { dhPrime: "" } }],
    ["a key is no key", { secrets: { privateSignaturePem: "x" } }],
  ])("is refused when %s", (_why, over) => {
    expect(() => connect(over)).toThrow(expect.objectContaining({ code: "connection_not_ready" }));
  });

  it("is refused when its kind is unknown", () => {
    expect(() => connectUpstream({ kind: "carrier-pigeon", settings: {}, secrets: {} }, deps)).toThrow(/kind/);
  });
});
