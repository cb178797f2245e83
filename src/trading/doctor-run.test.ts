import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { openOrderRows, type OrderRows } from "../../test/support/order-rows.ts";
import { AHEAD_MS, quote, stock } from "../../test/support/doctor-broker.ts";
import { scriptedDoctor } from "../../test/support/scripted-doctor.ts";
import type { DoctorOptions } from "./doctor.ts";
import type { DoctorCase } from "./doctor-findings.ts";
import { DoctorRefusal } from "./doctor-refusal.ts";

let rows: OrderRows;
let doctor: Awaited<ReturnType<typeof scriptedDoctor>>;

beforeAll(async () => {
  rows = await openOrderRows();
});
afterAll(() => rows.stop());
beforeEach(async () => {
  doctor = await scriptedDoctor(rows);
});

describe("a run", () => {
  test("opens the user's own connection, with the signal that stops it", async () => {
    const stop = new AbortController().signal;
    await doctor.run({ stop });
    expect(doctor.opened).toEqual([[rows.owner, stop]]);
    expect(doctor.ibkr.asked.slice(0, 3)).toEqual(["accounts", "stocks AAPL", "quotes 265598"]);
    for (const options of doctor.ibkr.options.slice(0, 3)) expect(options).toEqual({ signal: stop, caller: "doctor" });
  });

  test("buys one share at three quarters of the last price in whole units", async () => {
    await doctor.run();
    const [ticket] = doctor.ibkr.tickets;
    expect(JSON.parse(JSON.stringify(ticket))).toEqual({
      accountId: "DU1",
      conid: 265598,
      side: "BUY",
      quantity: "1",
      orderType: "LMT",
      limitPrice: "151",
      timeInForce: "DAY",
      outsideRth: false,
      customerOrderId: expect.stringMatching(/^gwdoc-[0-9a-f]{16}-1$/),
    });
  });

  test("goes by the prior close where there is no last price", async () => {
    doctor.ibkr.does({ quotes: async ([conid = 0]) => [quote(conid, undefined, "100")] });
    await doctor.run();
    expect(doctor.ibkr.tickets[0]?.limitPrice?.toString()).toBe("75");
  });

  test("reports and stores what it saw, with the mark", async () => {
    const { report, failure } = await doctor.run();
    expect(failure).toBeUndefined();
    const at = doctor.clock.now() - 120_000;
    expect(report).toMatchObject({ accountId: "DU1", symbol: "AAPL", customerOrderId: `${report.run}-1`, at, left: [] });
    expect(report.sentBrokerAt).toBe(at + AHEAD_MS);
    expect(report.run).toMatch(/^gwdoc-[0-9a-f]{16}$/);
    expect(report.findings.map(({ case: name }) => name)).toEqual(["working", "cancelled", "refused", "declined", "unanswered"]);
    expect(await doctor.stored()).toEqual(JSON.parse(JSON.stringify(report)));
    expect((await doctor.connection()).duplicate_refusals_proven_at).toBe(doctor.clock.now());
    expect(await doctor.attempts()).toMatchObject([
      { state: "placed", customer_order_id: report.run, broker_order_id: "1", sent_broker_at: at + AHEAD_MS },
    ]);
  });

  test("is on record with who ran it and what came of it", async () => {
    await doctor.change({ label: "Mine" });
    const { report } = await doctor.run();
    expect([await doctor.audited()]).toMatchObject([
      {
        at: report.at,
        user_id: rows.owner.userId,
        caller_id: "doctor",
        source: "gateway",
        scope: "write",
        connection_id: rows.owner.connectionId,
        tool: "connection.doctor",
        request_id: report.run,
        arguments: '{"connection":"Mine","mode":"paper","resume":false}',
        outcome: "ok",
        code: null,
        duration_us: 120_000_000,
        upstream_calls: 0,
        client: null,
        address: null,
        summary: "A repeated cOID was refused.",
      },
    ]);
  });

  test("stores each finding before the next case, and has no mark until both cases are seen", async () => {
    const seen: Promise<unknown>[] = [];
    const look = async (name: DoctorCase) => {
      const [report, { duplicate_refusals_proven_at: mark }] = [await doctor.stored(), await doctor.connection()];
      return [name, report?.findings.length, report?.left, mark !== null];
    };
    await doctor.run({ onCase: (name) => void seen.push(look(name)) });
    expect(await Promise.all(seen)).toEqual([
      ["working", 0, [], false],
      ["cancelled", 1, [], false],
      ["refused", 2, [], true],
      ["declined", 3, [], true],
      ["unanswered", 4, [], true],
    ]);
  });

  test("does not say that a repeated cOID was refused where it was taken", async () => {
    doctor.ibkr.does({
      submitOrder: async ({ customerOrderId }) => doctor.ibkr.place({ orderId: String(doctor.ibkr.orders.size + 1), customerOrderId }),
    });
    await doctor.run();
    expect(await doctor.audited()).toMatchObject({ outcome: "ok", summary: "Not proven that a repeated cOID is refused." });
    expect((await doctor.connection()).duplicate_refusals_proven_at).toBeNull();
  });

  test("cancels what an earlier run left before it sends anything", async () => {
    doctor.ibkr.place({ orderId: "77", customerOrderId: "gwdoc-earlier-1" });
    await doctor.run();
    const cancelled = doctor.ibkr.asked.indexOf("cancel DU1 77");
    expect(cancelled).toBeGreaterThan(0);
    expect(cancelled).toBeLessThan(doctor.ibkr.asked.findIndex((call) => call.startsWith("order")));
  });

  test("remembers no time where IBKR sends none", async () => {
    doctor.ibkr.does({ time: () => undefined });
    expect((await doctor.run()).report.sentBrokerAt).toBeNull();
    expect(await doctor.attempts()).toMatchObject([{ sent_broker_at: null }]);
  });

  test("gives the turn back as never used where nothing was placed", async () => {
    doctor.ibkr.does({ submitOrder: async () => ({ kind: "rejected", reason: "No." }) });
    await doctor.run();
    expect(await doctor.attempts()).toMatchObject([{ state: "no" }]);
  });

  test("names an order that only came with the repeated cOID", async () => {
    let count = 0;
    doctor.ibkr.does({
      submitOrder: async ({ customerOrderId }) => {
        count += 1;
        return count === 3 ? doctor.ibkr.place({ orderId: "31", customerOrderId }) : { kind: "rejected", reason: "No." };
      },
    });
    await doctor.run();
    expect(await doctor.attempts()).toMatchObject([{ state: "placed", broker_order_id: "31" }]);
  });
});

describe("a refusal before anything is sent", () => {
  const nothing = async (options: Partial<DoctorOptions>, message: string) => {
    const before = await doctor.connection();
    await expect(doctor.run(options)).rejects.toMatchObject({ message: expect.stringContaining(message) });
    expect([doctor.orders(), await doctor.attempts(), await doctor.connection()]).toEqual([[], [], before]);
  };
  const money = "The doctor places orders, so it runs on paper and simulated connections only. Nothing was sent.";

  test.each(["live", "", "Paper"])("comes before the connection is opened where its mode is %j", async (mode) => {
    await doctor.change({ mode, live_trading_enabled_at: 1 });
    await nothing({}, money);
    expect(doctor.opened).toEqual([]);
  });

  test("comes where the broker proves real money, whether trading is enabled or not", async () => {
    doctor.proves("live");
    await nothing({}, 'Trading is not enabled on the connection "');
    await doctor.change({ live_trading_enabled_at: 1 });
    await nothing({}, money);
    expect(doctor.ibkr.asked).toEqual([]);
  });

  test("comes on a connection that is paused", async () => {
    await doctor.change({ paused_at: 1 });
    await nothing({}, "is paused by its owner");
    expect(doctor.ibkr.asked).toEqual([]);
  });

  test("comes where there is no account", async () => {
    doctor.ibkr.does({ accounts: async () => [] });
    await nothing({}, "The connection has no account for the doctor. Nothing was sent.");
  });

  test.each([
    ["no listing in dollars", { stocks: async () => [stock(7, "AAPL", "CAD")] }, ["accounts", "stocks AAPL"]],
    ["no quote", { quotes: async () => [] }, ["accounts", "stocks AAPL", "quotes 265598"]],
    ["no price", { quotes: async () => [quote(265598, undefined)] }, ["accounts", "stocks AAPL", "quotes 265598"]],
  ])("comes where there is %s", async (_name, calls, asked) => {
    doctor.ibkr.does(calls);
    await nothing({}, "IBKR shows no price of AAPL. Nothing was sent. Try again in trading hours.");
    expect(doctor.ibkr.asked).toEqual(asked);
  });

  test("comes while another order is on its way", async () => {
    await rows.store({ request: { owner_process: "prc_0000000000000001" } });
    await expect(doctor.run()).rejects.toThrow("is on its way or has an unknown outcome");
    expect(doctor.orders()).toEqual([]);
  });

  test("comes after the order of a dead process, which has an unknown outcome then", async () => {
    const { request } = await rows.store();
    await expect(doctor.run()).rejects.toThrow("is on its way or has an unknown outcome");
    expect((await rows.read(request.id)).request.state).toBe("unknown");
  });
});

describe("a run that fails", () => {
  test("cancels, reports and gives the turn back", async () => {
    const stop = new AbortController();
    const { report, failure } = await doctor.run({ stop: stop.signal, onCase: (name) => name === "cancelled" && stop.abort() });
    expect(failure).toEqual(new DoctorRefusal("Stopped."));
    expect(doctor.ibkr.orders.get("1")?.status).toBe("Cancelled");
    expect(await doctor.stored()).toEqual(JSON.parse(JSON.stringify(report)));
    expect((await doctor.attempts()).map(({ state }) => state)).toEqual(["placed"]);
    expect([await doctor.audited()]).toMatchObject([{ outcome: "error", summary: "Not proven that a repeated cOID is refused." }]);
  });

  test("says what is left, and leaves an order of unknown outcome for a user", async () => {
    doctor.ibkr.does({ cancelOrder: async () => ({ kind: "not_working", message: "" }) });
    let isLost = false;
    const submit = doctor.ibkr.broker.submitOrder.bind(doctor.ibkr.broker);
    Object.assign(doctor.ibkr.broker, {
      submitOrder: async (...args: Parameters<typeof submit>) => {
        isLost = args[0].customerOrderId.endsWith("-2");
        return isLost ? { kind: "unknown", error: new Error("cut") } : await submit(...args);
      },
    });
    const { report, failure } = await doctor.run();
    expect(failure).toBeUndefined();
    const left = (id: number, name: number) => `Order ${id} (${report.run}-${name}) is not cancelled yet. Cancel it in IBKR's app.`;
    const unclear = `The outcome of ${report.run}-2 is unknown. Look for it among the account's orders in IBKR's app and cancel it there.`;
    expect(report.left).toEqual([left(1, 1), left(2, 3), left(3, 4), unclear]);
    expect((await doctor.stored())?.left).toEqual(report.left);
    expect(await doctor.attempts()).toMatchObject([{ state: "unknown", doubt: 1 }]);
    const summary = "Not proven that a repeated cOID is refused. 4 not cleaned up.";
    expect([await doctor.audited()]).toMatchObject([{ outcome: "ok", summary }]);
  });

  test("reports the failure of its last steps, and still takes the others", async () => {
    const full = new Error("disk full");
    const { storage } = rows;
    let isFull = false;
    const failing = {
      ...storage,
      get db() {
        if (isFull) throw full;
        return storage.db;
      },
    };
    const { orders } = doctor.ibkr;
    doctor.ibkr.does({
      cancelOrder: async (_accountId, orderId) => {
        const order = orders.get(orderId);
        if (order !== undefined) orders.set(orderId, { ...order, status: "Cancelled" });
        // It is the last case's.
        isFull = orderId === "4";
        return { kind: "requested", message: "" };
      },
    });
    const { report, failure } = await doctor.run({}, { storage: failing });
    expect(failure).toBe(full);
    expect(report.findings).toHaveLength(5);
    expect(await doctor.attempts()).toMatchObject([{ state: "placed" }]);
  });

  test("does not begin where it can't be put on record, and ends with an error of what was thrown", async () => {
    const { report, failure } = await doctor.run(
      {},
      { audit: { ...doctor.audit, begin: () => Promise.reject("no room"), complete: () => Promise.resolve() } },
    );
    expect(failure).toEqual(new Error("no room"));
    expect([doctor.orders(), report.findings]).toEqual([[], []]);
    expect(await doctor.attempts()).toMatchObject([{ state: "no" }]);
  });
});
