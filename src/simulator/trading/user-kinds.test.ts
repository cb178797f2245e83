import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, describe, expect, test } from "vitest";

import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient } from "../test-client.ts";

const CLIENTS = ["DU7200001", "DU7200002", "DU7200003"];

let client: TestClient;

afterEach(() => client.close());

test("a live-like user says so wherever the mode is told", async () => {
  client = await startSimulatorForTest({ user: "live" });
  await client.login();
  expect(client.simulator.accountIds).toEqual(["U7100001", "U7100002"]);
  expect((await client.call("GET", "/iserver/accounts")).json).toMatchObject({ isPaper: false });
  expect((await client.call("GET", "/sso/validate")).json).toMatchObject({ LOGIN_TYPE: 1 });
  expect((await client.call("GET", "/portfolio/accounts")).json).toMatchObject([{ type: "INDIVIDUAL" }, { type: "INDIVIDUAL" }]);
});

describe("an advisor", () => {
  test("sees the clients' accounts and All, which shows every client's orders but takes none", async () => {
    client = await startSimulatorForTest({ user: "advisor" });
    await client.login();
    const { json } = await client.call("GET", "/iserver/accounts");
    expect(json).toMatchObject({ accounts: ["All", ...CLIENTS], groups: ["Everybody"], selectedAccount: "DU7200001", isPaper: true });
    expect(json).toMatchObject({ acctProps: { All: { hasChildAccounts: true } }, allowFeatures: { allowFA: true } });
    expect((await client.call("POST", "/iserver/account", { body: { acctId: "All" } })).json).toEqual({ set: true, acctId: "All" });
    await client.call("GET", "/iserver/account/orders");
    const { text } = await client.call("GET", "/iserver/account/orders");
    expect(CLIENTS.slice(0, 2).every((id) => text.includes(`"account":"${id}"`))).toBe(true);
    const ticket = { conid: 265598, orderType: "MKT", side: "BUY", quantity: 1, tif: "DAY" };
    const path = "/iserver/account/All/orders";
    expect(await client.call("POST", path, { body: { orders: [ticket] } })).toMatchObject({ status: 400 });
  });

  test("can search accounts and set the dynamic one, and is their parent in the portfolio", async () => {
    client = await startSimulatorForTest({ user: "advisor" });
    await client.login();
    const found = { matchedAccounts: [{ accountId: "DU7200002", alias: "", allocationId: "1" }], pattern: "0002" };
    expect((await client.call("GET", "/iserver/account/search/0002")).json).toEqual(found);
    expect((await client.call("POST", "/iserver/dynaccount", { body: { acctId: "DU7200003" } })).json).toEqual({
      set: true,
      acctId: "DU7200003",
    });
    const rows = (await client.call("GET", "/portfolio/subaccounts")).json;
    expect(rows).toMatchObject(CLIENTS.map((id) => ({ id, faclient: true, parent: { accountId: "DF7200000", isMChild: true } })));
  });
});

test("a state file is of one kind of user", async () => {
  const folder = mkdtempSync(join(tmpdir(), "user-kinds-"));
  const stateFile = join(folder, "state.sqlite");
  client = await startSimulatorForTest({ stateFile });
  await client.close();
  await expect(startSimulatorForTest({ stateFile, user: "live" })).rejects.toThrow(
    "accounts of another kind of user: DU7100001, DU7100002",
  );
  client = await startSimulatorForTest({ stateFile });
  rmSync(folder, { recursive: true });
});
