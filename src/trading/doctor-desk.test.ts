import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { DOCTOR_DRAFT, doctorDesk } from "../../test/support/doctor-desk.ts";
import { openOrderRows, type OrderRows } from "../../test/support/order-rows.ts";
import { AHEAD_MS, execution, question, registered } from "../../test/support/doctor-broker.ts";
import type { Order, OrderStatusName, OrderTicket, SubmitOutcome } from "../broker/order.ts";

const { symbol: _symbol, currency: _currency, ...draft } = DOCTOR_DRAFT;
const ticket: OrderTicket = { ...draft, customerOrderId: "gwdoc-1-1" };
const cut = new Error("cut");

let rows: OrderRows;
let bench: Awaited<ReturnType<typeof doctorDesk>>;

beforeAll(async () => {
  rows = await openOrderRows();
});
afterAll(() => rows.stop());
beforeEach(async () => {
  await rows.clear();
  await pause(null);
  bench = await doctorDesk(rows);
});

const pause = (at: number | null) => rows.storage.db.updateTable("connections").set({ paused_at: at }).execute();
const sends = () => rows.storage.db.selectFrom("order_sends").select(["permission", "broker_at", "ended_by"]).execute();
const orderOf = (id: string): Order => {
  const order = bench.ibkr.orders.get(id);
  if (order === undefined) throw new Error(`no order ${id}`);
  return order;
};
const lost = (id: string) => `The outcome of ${id} is unknown. Look for it among the account's orders in IBKR's app and cancel it there.`;

describe("sending an order", () => {
  test("says yes to IBKR's questions, and stores the sending with its end", async () => {
    const { desk, ibkr, clock } = bench;
    const asks = [question("q2", "Is the size", "right?")];
    ibkr.does({ confirmQuestion: async () => asks.pop() ?? ibkr.place({ orderId: "5", customerOrderId: "gwdoc-1-1" }) });
    expect(await desk.send(ticket, "yes")).toEqual({
      kind: "accepted",
      said: "Submitted",
      orderId: "5",
      status: "Submitted",
      questions: ["Is the price right?", "Is the size right?"],
    });
    expect(ibkr.asked).toEqual(["order gwdoc-1-1", "yes DU1 gwdoc-1-1", "yes DU1 q2"]);
    expect(ibkr.tickets).toEqual([ticket]);
    const permission = expect.stringContaining('"customer_order_id":"gwdoc-1-1"');
    expect(await sends()).toEqual([{ permission, broker_at: clock.now() + AHEAD_MS, ended_by: "placed" }]);
    expect(desk.unclear()).toEqual([]);
  });

  test("is urgent and in the doctor's name, and only an order and a yes ask whether they may leave", async () => {
    const { desk, ibkr, clock } = bench;
    await desk.send(ticket, "yes");
    await desk.send({ ...ticket, customerOrderId: "gwdoc-1-2" }, "no");
    await clock.until(desk.cancelAll());
    expect(ibkr.options.filter(({ caller, urgent }) => caller !== "doctor" || urgent !== true)).toEqual([]);
    const leaving = ibkr.asked.filter((_, index) => ibkr.options[index]?.leave !== undefined);
    expect(leaving).toEqual(["order gwdoc-1-1", "yes DU1 gwdoc-1-1", "order gwdoc-1-2"]);
    const permits = ibkr.options.flatMap(({ leave }) => (leave === undefined ? [] : [leave]));
    expect(new Set(permits).size).toBe(3);
  });

  test.each<readonly [string, SubmitOutcome, object, string]>([
    ["refuses", { kind: "rejected", reason: "No shares." }, { kind: "refused", said: "No shares." }, "refused"],
    ["knows its cOID", registered("x"), { kind: "registered", said: "x is already registered." }, "unknown"],
    ["is not clear", { kind: "unknown", error: cut }, { kind: "unknown", said: "cut" }, "unknown"],
    [
      "is not clear, but says something, about",
      { kind: "unknown", error: cut, said: "Hm.", orderId: "9" },
      { kind: "unknown", said: "Hm.", orderId: "9" },
      "unknown",
    ],
  ])("that IBKR %s ends so", async (_name, outcome, reply, end) => {
    const { desk, ibkr } = bench;
    ibkr.does({ submitOrder: async () => outcome });
    expect(await desk.send(ticket, "yes")).toEqual({ ...reply, questions: [] });
    expect(await sends()).toMatchObject([{ ended_by: end }]);
  });

  test("leaves a question open when it shall", async () => {
    const { desk, ibkr } = bench;
    ibkr.does({ submitOrder: async () => question("q", "One?", "Two?") });
    expect(await desk.send(ticket, "none")).toEqual({ kind: "open", said: "One? Two?", questions: ["One? Two?"] });
    expect(ibkr.asked).toEqual(["order gwdoc-1-1"]);
    expect(await sends()).toMatchObject([{ ended_by: "unknown" }]);
    expect(desk.unclear()).toEqual([]);
  });

  test.each([
    [{ kind: "declined" } as const, { kind: "declined", said: "Order not confirmed" }, "asked", []],
    [{ kind: "unknown", error: cut } as const, { kind: "unknown", said: "cut" }, "unknown", [lost("gwdoc-1-1")]],
    [{ kind: "unknown", error: cut, said: "Hm." } as const, { kind: "unknown", said: "Hm." }, "unknown", [lost("gwdoc-1-1")]],
  ])("declines its question when it shall: %j", async (outcome, reply, end, unclear) => {
    const { desk, ibkr } = bench;
    ibkr.does({ declineQuestion: async () => outcome });
    expect(await desk.send(ticket, "no")).toEqual({ ...reply, questions: ["Is the price right?"] });
    expect(ibkr.asked).toEqual(["order gwdoc-1-1", "no DU1 gwdoc-1-1"]);
    expect(await sends()).toMatchObject([{ ended_by: end }]);
    expect(desk.unclear()).toEqual(unclear);
  });

  test("declines the seventh question in a row", async () => {
    const { desk, ibkr } = bench;
    ibkr.does({ confirmQuestion: async () => (ibkr.asked.length > 20 ? { kind: "unknown", error: cut } : question("again", "Again?")) });
    const { kind, questions } = await desk.send(ticket, "yes");
    expect([kind, questions.length]).toEqual(["declined", 7]);
    const yes = ibkr.asked.filter((call) => call.startsWith("yes"));
    expect([yes.length, ibkr.asked.at(-1)]).toEqual([6, "no DU1 again"]);
  });

  test("throws what kept it back, and leaves no trace", async () => {
    await pause(1);
    await expect(bench.desk.send(ticket, "yes")).rejects.toMatchObject({ code: "connection_paused" });
    expect([bench.ibkr.asked, await sends(), bench.desk.unclear()]).toEqual([[], [], []]);
  });

  test("has never left where its permission came too late", async () => {
    const { desk, ibkr } = bench;
    ibkr.does({ submitOrder: async () => ({ kind: "not_sent", error: cut }) });
    await expect(desk.send(ticket, "yes")).rejects.toBe(cut);
    expect([await sends(), desk.unclear()]).toEqual([[expect.objectContaining({ ended_by: "never_left" })], []]);
  });

  test("throws what kept its yes back, once the question is declined", async () => {
    const { desk, ibkr } = bench;
    ibkr.does({ submitOrder: async () => (await pause(1), question("q", "Right?")) });
    await expect(desk.send(ticket, "yes")).rejects.toMatchObject({ code: "connection_paused" });
    expect(ibkr.asked).toEqual(["order gwdoc-1-1", "no DU1 q"]);
    expect([await sends(), desk.unclear()]).toEqual([[expect.objectContaining({ ended_by: "never_left" })], []]);
  });

  test("is unknown where its yes was kept back and IBKR did not take the no", async () => {
    const { desk, ibkr } = bench;
    ibkr.does({
      submitOrder: async () => (await pause(1), question("q", "Right?")),
      declineQuestion: async () => ({ kind: "unknown", error: cut }),
    });
    const said = expect.stringContaining("is paused by its owner");
    expect(await desk.send(ticket, "yes")).toEqual({ kind: "unknown", said, questions: ["Right?"] });
    expect([await sends(), desk.unclear()]).toEqual([[expect.objectContaining({ ended_by: "unknown" })], [lost("gwdoc-1-1")]]);
  });
});

describe("an outcome that is not clear", () => {
  const lose = () => bench.ibkr.does({ submitOrder: async () => ({ kind: "unknown", error: cut }) });

  test("is clear once IBKR shows an order more under the cOID", async () => {
    const { desk, ibkr } = bench;
    await desk.send(ticket, "yes");
    lose();
    await desk.send(ticket, "yes");
    expect(await desk.ordersUnder("gwdoc-1-1")).toBe(1);
    expect(desk.unclear()).toEqual([lost("gwdoc-1-1")]);
    ibkr.place({ orderId: "8", customerOrderId: "gwdoc-1-1" });
    expect(await desk.ordersUnder("gwdoc-1-1")).toBe(2);
    expect(desk.unclear()).toEqual([]);
  });

  test("is told of each cOID", async () => {
    lose();
    await bench.desk.send(ticket, "yes");
    await bench.desk.send({ ...ticket, customerOrderId: "gwdoc-1-2" }, "yes");
    expect(bench.desk.unclear()).toEqual([lost("gwdoc-1-1"), lost("gwdoc-1-2")]);
  });

  test("is clear where IBKR named the order", async () => {
    bench.ibkr.does({ submitOrder: async () => ({ kind: "unknown", error: cut, orderId: "9" }) });
    await bench.desk.send(ticket, "yes");
    expect(bench.desk.unclear()).toEqual([]);
  });
});

describe("the orders under a cOID", () => {
  test("are those of the lists, executed or not, each once, also when they are gone from them", async () => {
    const { desk, ibkr } = bench;
    for (const orderId of ["1", "2"]) ibkr.place({ orderId, customerOrderId: "gwdoc-1-1" });
    ibkr.place({ orderId: "3", customerOrderId: "gwdoc-1-2" });
    expect(await desk.ordersUnder("gwdoc-1-1")).toBe(2);
    const trades = [execution("2", "gwdoc-1-1"), execution("4", "gwdoc-1-1"), execution(undefined, "gwdoc-1-1")];
    ibkr.does({ lookForOrders: async () => ({ orders: [], trades, asOf: 0 }) });
    expect(await desk.ordersUnder("gwdoc-1-1")).toBe(3);
    expect(await desk.ordersUnder("gwdoc-1-3")).toBe(0);
    expect(new Set(ibkr.asked)).toEqual(new Set(["look DU1 1"]));
  });
});

describe("cancelling", () => {
  test("leaves orders of others alone", async () => {
    const { desk, ibkr, clock } = bench;
    ibkr.place({ orderId: "1", customerOrderId: undefined });
    ibkr.place({ orderId: "2", customerOrderId: "gw1-1" });
    ibkr.place({ orderId: "3", customerOrderId: "mine gwdoc-1" });
    expect(await clock.until(desk.cancelAll())).toEqual([]);
    expect(ibkr.asked).toEqual(["look DU1 1"]);
  });

  test("ends every order of the doctor, also one of an earlier run, and asks for its state before and after", async () => {
    const { desk, ibkr, clock } = bench;
    await desk.send(ticket, "yes");
    ibkr.place({ orderId: "9", customerOrderId: "gwdoc-0-1" });
    const began = clock.monotonic();
    expect(await clock.until(desk.cancelAll())).toEqual([]);
    expect(clock.monotonic()).toBe(began);
    const each = (id: string) => [`status DU1 ${id}`, `cancel DU1 ${id}`, `status DU1 ${id}`];
    expect(ibkr.asked.slice(2)).toEqual(["look DU1 1", ...each("1"), ...each("9")]);
    expect([...ibkr.orders.values()].map(({ status }) => status)).toEqual(["Cancelled", "Cancelled"]);
  });

  test.each<OrderStatusName>(["Cancelled", "Inactive"])("does nothing to an order that is %s", async (status) => {
    const { desk, ibkr, clock } = bench;
    ibkr.place({ orderId: "1", customerOrderId: "gwdoc-0-1", status });
    expect(await clock.until(desk.cancelAll())).toEqual([]);
    expect(ibkr.asked).toEqual(["look DU1 1", "status DU1 1"]);
  });

  test("says what was filled, after six looks, five seconds apart", async () => {
    const { desk, ibkr, clock } = bench;
    ibkr.place({ orderId: "1", customerOrderId: "gwdoc-0-1", status: "Filled" });
    const began = clock.monotonic();
    expect(await clock.until(desk.cancelAll())).toEqual(["Order 1 (gwdoc-0-1) was filled."]);
    expect(clock.monotonic() - began).toBe(25_000);
    expect(ibkr.asked).toEqual(Array.from({ length: 6 }, () => ["look DU1 1", "status DU1 1"]).flat());
  });

  test.each<OrderStatusName | undefined>(["Submitted", "PendingCancel", "Unknown", undefined])(
    "asks again every five seconds while an order is %s after its cancellation",
    async (status) => {
      const { desk, ibkr, clock } = bench;
      ibkr.place({ orderId: "1", customerOrderId: "gwdoc-0-1" });
      const order = orderOf("1");
      const ends = clock.monotonic() + 9_000;
      const shown = status === undefined ? undefined : { ...order, status };
      ibkr.does({
        cancelOrder: async () => ({ kind: "requested", message: "" }),
        order: async () => (clock.monotonic() >= ends ? { ...order, status: "Cancelled" } : shown),
      });
      expect(await clock.until(desk.cancelAll())).toEqual([]);
      expect(clock.monotonic()).toBe(ends + 1_000);
      expect(ibkr.asked.filter((call) => call.startsWith("cancel"))).toHaveLength(2);
    },
  );

  test("says what is left: not cancelled, filled meanwhile, not to be reached", async () => {
    const { desk, ibkr, clock } = bench;
    for (const orderId of ["1", "2", "3", "4"]) ibkr.place({ orderId, customerOrderId: `gwdoc-0-${orderId}` });
    ibkr.does({
      cancelOrder: async (_accountId, orderId) => {
        if (orderId === "1") throw new Error("No route.");
        if (orderId === "2") return { kind: "not_working", message: "" };
        ibkr.place({ orderId, customerOrderId: `gwdoc-0-${orderId}`, status: orderId === "3" ? "Filled" : "Cancelled" });
        return { kind: "requested", message: "" };
      },
    });
    expect(await clock.until(desk.cancelAll())).toEqual([
      "Order 1 (gwdoc-0-1) can't be cancelled: No route. Cancel it in IBKR's app.",
      "Order 2 (gwdoc-0-2) is not cancelled yet. Cancel it in IBKR's app.",
      "Order 3 (gwdoc-0-3) was filled.",
    ]);
  });

  test("takes no end for granted that it did not cause: a cancellation that was not taken is asked for again", async () => {
    const { desk, ibkr, clock } = bench;
    ibkr.place({ orderId: "1", customerOrderId: "gwdoc-0-1" });
    const order = orderOf("1");
    ibkr.does({ cancelOrder: async () => ({ kind: "not_found", message: "" }), order: async () => order });
    expect(await clock.until(desk.cancelAll())).toEqual(["Order 1 (gwdoc-0-1) is not cancelled yet. Cancel it in IBKR's app."]);
    expect(ibkr.asked.filter((call) => call.startsWith("status"))).toHaveLength(6);
  });

  test("says so when IBKR's lists can't be read, and reads them again", async () => {
    const { desk, ibkr, clock } = bench;
    let failures = 0;
    ibkr.does({ lookForOrders: () => ((failures += 1), Promise.reject(new Error("No list."))) });
    expect(await clock.until(desk.cancelAll())).toEqual([
      "IBKR's orders can't be read: No list. Look for orders named gwdoc-… in IBKR's app.",
    ]);
    expect(failures).toBe(6);
  });
});

describe("a call that IBKR does not answer", () => {
  test("is given up after a minute, not before", async () => {
    const { desk, ibkr, clock } = bench;
    const began = clock.monotonic();
    let gaveUpAt = 0;
    ibkr.does({
      order: (_accountId, _orderId, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            gaveUpAt = clock.monotonic();
            reject(signal.reason as Error);
          });
        }),
    });
    await expect(clock.until(desk.statusOf("1"))).rejects.toThrow("IBKR took too long to answer");
    expect(gaveUpAt - began).toBe(60_000);
  });
});
