import { describe, expect, test } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import type { HealthFault, LinkHealth } from "../broker/health.ts";
import type { ConnectionHealth } from "../connections/connections.ts";
import type { OfflineContext, ToolAnswer } from "../mcp/define-tool.ts";
import { tool } from "./get-connection-status.ts";

const clock = fakeClock();
const AT = clock.now();
const fault: HealthFault = {
  code: "session_competing",
  message: "Another login holds the session.",
  whatToDo: "Log out of TWS.",
  link: "/help/session",
  at: AT,
};
const link: LinkHealth = {
  state: "established",
  since: AT,
  provenMode: "live",
  userName: "ada123",
  accounts: undefined,
  verifiedAt: AT,
  retryAt: undefined,
  layers: [
    { layer: "network", state: "ok", since: AT, lastError: undefined },
    { layer: "brokerage_session", state: "ok", since: AT, lastError: undefined },
  ],
};
const health: ConnectionHealth = {
  connectionId: "con_1",
  label: "Mine",
  kind: "ibkr-oauth",
  mode: "live",
  isDemo: false,
  createdAt: 1,
  pausedAt: undefined,
  frozenAt: undefined,
  frozenBecause: undefined,
  keepWarm: false,
  liveTradingEnabledAt: undefined,
  ordersStopped: undefined,
  userName: undefined,
  accounts: [{ accountId: "U7654321", title: undefined, type: undefined, baseCurrency: undefined }],
  verifiedAt: AT,
  lastFault: undefined,
  link,
  sharesUserNameWith: [],
  sharedWithOthers: false,
};

async function ask(known: ConnectionHealth | undefined): Promise<Extract<ToolAnswer, { kind: "complete" }>> {
  if (tool.needsBroker !== false) throw new Error("it must not need the broker");
  const context: OfflineContext = {
    caller: {
      id: "key_1",
      source: "apikey",
      nameSpace: "key_1",
      userId: "usr_1",
      connectionId: "con_1",
      scope: "read",
      allowedAccountIds: undefined,
      pinnedAccountId: undefined,
      toolsets: [],
    },
    call: { signal: AbortSignal.timeout(1_000), caller: "key_1" },
    clock,
    connectionHealth: () => Promise.resolve(known),
    pageUrl: (path) => path,
  };
  const answer = await tool.run({}, context);
  if (answer.kind !== "complete") throw new Error("it asked");
  return answer;
}

const closed: LinkHealth = { ...link, state: "closed", provenMode: undefined };
const down: LinkHealth = {
  ...link,
  state: "competing",
  layers: [
    { layer: "network", state: "ok", since: AT, lastError: undefined },
    { layer: "brokerage_session", state: "down", since: AT, lastError: fault },
  ],
};

describe("the status of a connection", () => {
  const STATES: readonly (readonly [string, Partial<ConnectionHealth>, string])[] = [
    ["whose session is open", {}, "ready"],
    ["that is idle", { link: closed }, "idle"],
    ["that nobody has used", { link: { ...closed, verifiedAt: undefined }, verifiedAt: undefined }, "not_checked"],
    ["that could not be opened", { link: closed, lastFault: fault }, "failing"],
    ["that is being opened", { link: { ...link, state: "opening" } }, "opening"],
    ["that tries again", { link: { ...link, state: "backing_off", retryAt: AT + 60_000 } }, "trying_again"],
    ["whose session another holds", { link: down }, "competing"],
    ["where nobody is logged in", { link: { ...link, state: "logged_out" } }, "logged_out"],
    ["that is paused", { pausedAt: AT, link: closed }, "paused"],
    ["that is frozen", { frozenAt: AT, frozenBecause: "It is paper.", link: closed }, "frozen"],
  ];

  test.each(STATES)("%s", async (_name, changes, status) => {
    const { structured, text } = await ask({ ...health, ...changes });
    expect(structured["status"]).toBe(status);
    expect(text).toContain("Mine (live): ");
    if (!["ready", "idle", "not_checked"].includes(status)) expect(structured["what_to_do"], status).toMatch(/\.$/);
  });

  test("names the layer that is down, what happened and what to do", async () => {
    const { structured, text } = await ask({ ...health, link: down });
    expect(structured).toMatchObject({
      mode: "live",
      mode_is_proven: true,
      user_name: "ada123",
      trading_enabled: false,
      reason: fault.message,
      what_to_do: fault.whatToDo,
      link: "/help/session",
      layers: [
        { layer: "network", state: "ok" },
        { layer: "brokerage_session", state: "down", last_error: { code: "session_competing" } },
      ],
    });
    expect(text).toContain("Another login holds the session. Log out of TWS.");
  });

  test("tells no account, and no other connection by name", async () => {
    const { structured } = await ask({ ...health, sharesUserNameWith: ["My secret fund"] });
    expect(JSON.stringify(structured)).not.toMatch(/U7654321|secret fund/);
    expect(structured["note"]).toContain("same IBKR user name");
  });

  test("names why the gateway stopped orders, and what the owner must do", async () => {
    const because = "IBKR accepted an order that was known as refused.";
    const { structured } = await ask({ ...health, ordersStopped: { at: AT, because } });
    expect(structured).toMatchObject({ status: "ready", note: expect.stringContaining(because) });
    expect(structured["note"]).toContain("resume orders");
  });

  test("says when the mode is not proven", async () => {
    const { structured } = await ask({ ...health, link: closed });
    expect(structured).toMatchObject({ mode_is_proven: false, note: expect.stringContaining("proves it") });
  });

  test("of a connection that is gone is an error", async () => {
    await expect(ask(undefined)).rejects.toMatchObject({ code: "connection_not_ready" });
  });
});
