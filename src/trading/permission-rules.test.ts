import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { seedOwner } from "../../test/support/seed-keys.ts";
import { startEngine, type TestEngine } from "../../test/support/storages.ts";
import type { Broker } from "../broker/broker.ts";
import type { Mode } from "../broker/account.ts";
import type { Caller } from "../connections/caller.ts";
import { GatewayError } from "../lib/errors.ts";
import type { TradingSwitch } from "../storage/order-permission.ts";
import { insertApiKey } from "../storage/api-keys.ts";
import type { Storage } from "../storage/storage.ts";
import { holdPermission, refuseSwitchedOff, refuseUntilEnabled } from "./permission.ts";

const OPEN: TradingSwitch = {
  label: "Mine",
  mode: "paper",
  live_trading_enabled_at: null,
  paused_at: null,
  frozen_at: null,
  frozen_because: null,
  orders_stopped_at: null,
  orders_stopped_because: null,
  duplicate_refusals_proven_at: null,
  doctor_report: null,
};

/** What a caller sees of a refusal; undefined where there is none. */
function refusal(change: Partial<TradingSwitch> | undefined, provenMode: Mode = "paper"): object | undefined {
  try {
    refuseSwitchedOff(change === undefined ? undefined : { ...OPEN, ...change }, { connectionId: "con_1", provenMode });
    return undefined;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { code, message, whatToDo, link } = error;
    return { code, message, whatToDo, ...(link === undefined ? {} : { link }) };
  }
}

describe("a connection's switches", () => {
  test.each<readonly [string, Mode]>([
    ["paper", "paper"],
    ["simulated", "simulated"],
    ["paper", "simulated"],
  ])("let an order leave where it is made for %s and proven %s", (mode, provenMode) => {
    expect(refusal({ mode }, provenMode)).toBeUndefined();
  });

  test.each<readonly [string, Mode]>([
    ["live", "live"],
    ["live", "paper"],
    ["paper", "live"],
    ["simulated", "live"],
    ["", "paper"],
  ])("need trading to be enabled where it is made for %s and proven %s", (mode, provenMode) => {
    expect(refusal({ mode }, provenMode)).toEqual({
      code: "live_trading_disabled",
      message: 'Trading is not enabled on the connection "Mine", which reaches real money.',
      whatToDo:
        "Nothing was sent. Only the connection's owner can enable trading on it, on its page in the console; previews and cancellations work without.",
      link: "/console/connections/con_1",
    });
    expect(refusal({ mode, live_trading_enabled_at: 1 }, provenMode)).toBeUndefined();
  });

  test("refuse on a connection that is gone", () => {
    expect(refusal(undefined)).toEqual({
      code: "connection_not_ready",
      message: "This connection no longer exists.",
      whatToDo: "Use a key of a connection that exists.",
    });
  });

  test("refuse on a frozen one, with the reason where there is one", () => {
    const whatToDo = "Nothing was sent. The owner must replace its credentials or delete the connection.";
    const frozen = { frozen_at: 1, paused_at: 1, orders_stopped_at: 1 };
    expect(refusal(frozen)).toEqual({ code: "connection_frozen", message: 'The connection "Mine" is frozen.', whatToDo });
    expect(refusal({ ...frozen, frozen_because: "It is live." })).toMatchObject({ message: "It is live." });
  });

  test("refuse on a paused one", () => {
    expect(refusal({ paused_at: 1, orders_stopped_at: 1 })).toEqual({
      code: "connection_paused",
      message: 'The connection "Mine" is paused by its owner.',
      whatToDo: "Nothing was sent. Its owner can resume it in the console.",
    });
  });

  test("refuse where orders are stopped, also where trading is enabled", () => {
    expect(refusal({ orders_stopped_at: 1, orders_stopped_because: "Two orders.", live_trading_enabled_at: 1 })).toEqual({
      code: "orders_stopped",
      message: 'The gateway stopped orders on "Mine": Two orders.',
      whatToDo: "Nothing was sent. The owner must check the account's orders at IBKR, then resume orders on the connection's page.",
      link: "/console/connections/con_1",
    });
    expect(refusal({ orders_stopped_at: 1 })).toMatchObject({ message: 'The gateway stopped orders on "Mine":' });
  });
});

describe("the permission of one order", () => {
  let engine: TestEngine;
  let storage: Storage;
  let caller: Caller;

  beforeAll(async () => {
    engine = await startEngine("sqlite");
    storage = await (await engine.createDatabase()).open();
  });

  afterAll(() => engine.stop());

  beforeEach(async () => {
    const owner = await seedOwner(storage);
    const id = `key_${owner.userId}`;
    caller = {
      ...owner,
      id,
      source: "apikey",
      nameSpace: id,
      scope: "write",
      allowedAccountIds: undefined,
      pinnedAccountId: undefined,
      toolsets: [],
    };
    await insertApiKey(storage, {
      id,
      user_id: owner.userId,
      connection_id: owner.connectionId,
      key_hash: id,
      prefix: "ibkr_",
      label: "Mine",
      scope: "write",
      allowed_account_ids: null,
      toolsets: "[]",
      pinned_account_id: null,
      created_at: 1,
      last_used_at: null,
      last_used_address: null,
      last_used_client: null,
      limits: null,
      expires_at: null,
      revoked_at: null,
    });
  });

  const setKey = async (values: object) => await storage.db.updateTable("api_keys").set(values).where("id", "=", caller.id).execute();
  const setSwitch = async (values: object) =>
    await storage.db.updateTable("connections").set(values).where("id", "=", caller.connectionId).execute();
  const held = async (change: Partial<Caller> = {}) => {
    const asking = { caller: { ...caller, ...change }, provenMode: "simulated", accountId: "DU1" } as const;
    return await storage.transaction((db) => holdPermission(db, { dialect: storage.dialect, now: 1_000 }, asking));
  };
  const ended = {
    code: "caller_revoked",
    whatToDo: "Ask the owner of the connection for a new approval or key with read & write permission for this account.",
  };

  test("records what allowed it", async () => {
    await setSwitch({ duplicate_refusals_proven_at: null });
    const { record, ...marks } = await held();
    expect(JSON.parse(record)).toEqual({ scope: "write", accounts: "all", mode: "simulated", live_trading_enabled_at: null });
    expect(marks).toEqual({ isDuplicateProven: false, keepsAfterQuestion: false });
    await setKey({ allowed_account_ids: '["DU0","DU1"]', expires_at: 1_001 });
    await setSwitch({ live_trading_enabled_at: 7, duplicate_refusals_proven_at: 8 });
    const later = await held();
    expect(JSON.parse(later.record)).toMatchObject({ accounts: ["DU0", "DU1"], live_trading_enabled_at: 7 });
    expect(later.isDuplicateProven).toBe(true);
  });

  test.each([{ revoked_at: 1 }, { expires_at: 1_000 }, { expires_at: 999 }])("ends with its key: %j", async (values) => {
    await setKey(values);
    await expect(held()).rejects.toMatchObject({ ...ended, message: "The key or app was revoked or has expired." });
  });

  test("ends with a key that is gone", async () => {
    await expect(held({ id: "key_gone" })).rejects.toMatchObject({ ...ended, message: "The key or app was revoked or has expired." });
    await expect(held({ source: "oauth" })).rejects.toMatchObject(ended);
  });

  test("ends with the permission to write, of the key now and of the call", async () => {
    const message = "The key or app may no longer place orders.";
    await expect(held({ scope: "read" })).rejects.toMatchObject({ ...ended, message });
    await setKey({ scope: "read" });
    await expect(held()).rejects.toMatchObject({ ...ended, message });
  });

  test("ends with the account", async () => {
    await setKey({ allowed_account_ids: '["DU0"]' });
    await expect(held()).rejects.toMatchObject({ ...ended, message: "The key or app may no longer use account DU1." });
  });

  test("ends with a switch of the connection", async () => {
    await setSwitch({ paused_at: 1 });
    await expect(held()).rejects.toMatchObject({ code: "connection_paused" });
  });

  test("is asked for by the switches alone when a call comes", async () => {
    // The mode is all that is read of a broker here.
    const broker = { mode: "simulated" } as Broker;
    expect(await refuseUntilEnabled(storage, { caller, broker })).toBeUndefined();
    await expect(refuseUntilEnabled(storage, { caller, broker: { mode: "live" } as Broker })).rejects.toMatchObject({
      code: "live_trading_disabled",
      link: `/console/connections/${caller.connectionId}`,
    });
    await expect(refuseUntilEnabled(storage, { caller: { ...caller, userId: "usr_other" }, broker })).rejects.toMatchObject({
      code: "connection_not_ready",
    });
  });
});
