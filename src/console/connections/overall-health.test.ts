import { describe, expect, it } from "vitest";

import type { LayerHealth, LinkHealth, SessionStateName } from "../../broker/health.ts";
import type { ConnectionHealth } from "../../connections/connections.ts";
import { overallHealth } from "./overall-health.ts";

const NOW = 1_795_000_000_000;
const FAULT = { code: "connection_not_ready", message: "No.", whatToDo: "Wait.", link: undefined, at: NOW } as const;
const layer = (state: LayerHealth["state"]): LayerHealth => ({ layer: "market_data", state, since: NOW, lastError: FAULT });

function health(state: SessionStateName, more: Partial<ConnectionHealth> = {}, layers: readonly LayerHealth[] = []): ConnectionHealth {
  const unknown = { provenMode: undefined, userName: undefined, accounts: undefined, verifiedAt: undefined, retryAt: undefined };
  const link: LinkHealth = { state, since: NOW, ...unknown, layers };
  return {
    connectionId: "con_1",
    label: "One",
    kind: "simulator",
    mode: "simulated",
    isDemo: false,
    createdAt: NOW,
    pausedAt: undefined,
    frozenAt: undefined,
    frozenBecause: undefined,
    keepWarm: false,
    liveTradingEnabledAt: undefined,
    ordersStopped: undefined,
    userName: undefined,
    accounts: undefined,
    verifiedAt: undefined,
    lastFault: undefined,
    link,
    sharesUserNameWith: [],
    sharedWithOthers: false,
    ...more,
  };
}

describe("a connection's state in one word", () => {
  it.each<[string, ConnectionHealth]>([
    ["ready", health("established")],
    ["opening", health("opening")],
    ["waiting", health("backing_off")],
    ["competing", health("competing")],
    ["logged_out", health("logged_out")],
    ["unchecked", health("closed")],
    ["idle", health("closed", { verifiedAt: NOW })],
    ["failing", health("closed", { verifiedAt: NOW, lastFault: FAULT })],
    ["paused", health("closed", { pausedAt: NOW, lastFault: FAULT })],
    ["frozen", health("frozen")],
    // Resuming it would not help.
    ["frozen", health("closed", { pausedAt: NOW, frozenAt: NOW })],
  ])("is %s", (state, known) => {
    expect(overallHealth(known, true).state).toBe(state);
  });

  it("says of the demo where it may not be that it is not served", () => {
    expect(overallHealth(health("established", { isDemo: true }), false).state).toBe("not_served");
    expect(overallHealth(health("established", { isDemo: true }), true).state).toBe("ready");
  });

  it("asks for attention where an open session lacks a layer, and says what for", () => {
    expect(overallHealth(health("established", {}, [layer("ok")]), true)).toMatchObject({ needsAttention: false, fault: undefined });
    expect(overallHealth(health("established", {}, [layer("down")]), true)).toMatchObject({
      needsAttention: true,
      tone: "warn",
      fault: FAULT,
    });
  });
});
