import { afterAll, beforeAll, expect, it } from "vitest";

import { fastClock } from "../../test/support/fast-clock.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { callOptions as call } from "../../test/support/simulated-link.ts";
import { GatewayLogin } from "../ibkr/gateway-login.ts";
import { createIbkrBroker, type IbkrBroker } from "../ibkr/ibkr-broker.ts";
import { systemRandom } from "../lib/random.ts";
import { createSimulator, type Simulator } from "../simulator/index.ts";
import { createGuardedEdge, type GuardedEdge } from "./guarded-edge.ts";
import { createHostPolicy } from "./host-policy.ts";

const clock = fastClock(10);
let simulator: Simulator;
let edge: GuardedEdge;
let broker: IbkrBroker;

beforeAll(async () => {
  simulator = await createSimulator({ clock, gatewayPort: 0 });
  const { url = "", fingerprint } = simulator.gateway ?? {};
  edge = createGuardedEdge({ url: new URL(url), hostPolicy: createHostPolicy({ hosts: [], isLocal: true }), fingerprint });
  await edge.fetch(`${url}/sso/Login`, { method: "POST", headers: { "user-agent": "browser" } });
  broker = createIbkrBroker({
    baseUrl: `${url}/v1/api`,
    login: new GatewayLogin({ loginUrl: url, clock }),
    proveMode: () => Promise.resolve("paper"),
    expectedMode: "paper",
    clock,
    random: systemRandom,
    log: silentLog,
    fetch: edge.fetch,
    socket: edge.socket,
  });
});

afterAll(async () => {
  await broker.close();
  await simulator.close();
});

it("a stream goes through a Client Portal Gateway as well, over the pinned certificate and with its cookies", async () => {
  const asked: string[] = [];
  const options = () => ({ ...call(), onUpstreamCall: () => void asked.push("call") });
  await broker.quotes([265598], options());
  await expect.poll(() => broker.streamFigures()?.state, { timeout: 10_000 }).toBe("live");
  // A polled quote is kept for a second: later only the stream can answer for nothing.
  await clock.wait(3000);
  await broker.quotes([265598], options());
  await clock.wait(3000);
  const before = asked.length;
  const [quote] = await broker.quotes([265598], options());
  expect(quote).toMatchObject({ conid: 265598, dataStatus: "live" });
  expect(asked.length).toBe(before);
  expect(broker.streamFigures()).toMatchObject({ state: "live", malformed: 0 });
});
