import { describe, expect, it } from "vitest";

import { type ScriptedIbkr, scriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import { Accounts } from "./accounts.ts";
import { Contracts } from "./contracts.ts";
import { Orders } from "./orders.ts";
import { Portfolio } from "./portfolio.ts";
import { SelectedAccount } from "./selected-account.ts";

const call = { signal: new AbortController().signal, caller: "test" };

/** An advisor's user: two accounts, everything at once, and a group. */
function advisor(selection?: () => SelectedAccount): { ibkr: ScriptedIbkr; accounts: Accounts; portfolio: Portfolio; orders: Orders } {
  const ibkr = scriptedIbkr();
  ibkr.answers.set("/iserver/accounts", () => ({
    accounts: ["All", "DU1", "Team", "DU2"],
    groups: ["Team"],
    profiles: [],
    selectedAccount: "All",
    isPaper: true,
  }));
  ibkr.answers.set("/portfolio/accounts", () => [
    { accountId: "DU2", accountTitle: "Two", currency: "EUR", type: "DEMO" },
    { accountId: "DU1", accountTitle: "One", currency: "USD", type: "DEMO" },
  ]);
  const accounts = new Accounts(ibkr.api, selection);
  const contracts = new Contracts(ibkr.api);
  return { ibkr, accounts, portfolio: new Portfolio(ibkr.api, accounts), orders: new Orders({ api: ibkr.api, accounts, contracts }) };
}

describe("accounts", () => {
  it("are those of the user, never All or a group", async () => {
    const { ibkr, accounts } = advisor();
    expect(await ibkr.settle(accounts.list(call))).toEqual([
      { accountId: "DU1", title: "One", type: "DEMO", baseCurrency: "USD" },
      { accountId: "DU2", title: "Two", type: "DEMO", baseCurrency: "EUR" },
    ]);
    for (const accountId of ["All", "Team", ""])
      await expect(accounts.find(accountId, call)).rejects.toMatchObject({ code: "unknown_account" });
  });

  it("are selected for reads that need it, and nobody selects another meanwhile", async () => {
    const { ibkr, orders } = advisor();
    let selected = "All";
    ibkr.answers.set("/iserver/account", ({ body }) => {
      selected = /DU\d/.exec(body)?.[0] ?? "";
      return { set: true, acctId: selected };
    });
    ibkr.answers.set("/trsrv/secdef", () => ({ secdef: [{ conid: 1, assetClass: "STK", currency: "USD" }] }));
    for (const orderId of ["11", "12", "21", "22"])
      ibkr.answers.set(`/iserver/account/order/status/${orderId}`, () => {
        const account = `DU${orderId.slice(0, 1)}`;
        if (selected !== account) return Response.json({ error: "Service Unavailable", statusCode: 503 }, { status: 503 });
        return {
          order_id: Number(orderId),
          account,
          conid: 1,
          order_type: "LIMIT",
          order_status: "Submitted",
          side: "B",
          limit_price: "1.5",
          order_time: "261123151500",
        };
      });
    const wanted: [string, string][] = [
      ["DU1", "11"],
      ["DU2", "21"],
      ["DU1", "12"],
      ["DU2", "22"],
    ];
    const found = await ibkr.settle(Promise.all(wanted.map(([accountId, orderId]) => orders.find(accountId, orderId, call))));
    expect(found.map((order) => order?.orderId)).toEqual(["11", "21", "12", "22"]);
    expect(found[0]).toMatchObject({ side: "BUY", orderType: "LMT", lastUpdateAt: Date.UTC(2026, 10, 23, 15, 15, 0) });
  });

  it("are selected again when another program of the user may have selected meanwhile", async () => {
    const { ibkr, orders } = advisor();
    let selected = "All";
    ibkr.answers.set("/iserver/account", ({ body }) => {
      selected = /DU\d/.exec(body)?.[0] ?? "";
      return { set: true, acctId: selected };
    });
    ibkr.answers.set("/trsrv/secdef", () => ({ secdef: [{ conid: 1, assetClass: "STK", currency: "USD" }] }));
    ibkr.answers.set("/iserver/account/trades", () =>
      selected === "DU1" ? [{ execution_id: "e1", account: "DU1", conid: 1, size: 1, price: "2", side: "B", trade_time_r: 1 }] : [],
    );
    expect(await ibkr.settle(orders.trades("DU1", 7, call))).toHaveLength(1);
    selected = "DU2";
    await ibkr.clock.advance(60_000);
    expect(await ibkr.settle(orders.trades("DU1", 6, call))).toHaveLength(1);
  });

  it("are selected again after another link of the user has selected", async () => {
    const { clock } = scriptedIbkr();
    const shared = new SelectedAccount(clock);
    const { ibkr, orders } = advisor(() => shared);
    ibkr.answers.set("/iserver/account", () => ({ set: true }));
    ibkr.answers.set("/iserver/account/trades", () => []);
    await ibkr.settle(orders.trades("DU1", 7, call));
    await shared.run("DU2", { select: () => Promise.resolve(), read: () => Promise.resolve() }, call.signal);
    await ibkr.settle(orders.trades("DU1", 6, call));
    expect(ibkr.contents.filter((content) => content.includes("acctId"))).toHaveLength(2);
  });

  it("take 'Account already set' as selected", async () => {
    const { ibkr, orders } = advisor();
    ibkr.answers.set("/iserver/account", () => ({ success: "Account already set" }));
    ibkr.answers.set("/iserver/account/trades", () => []);
    await expect(ibkr.settle(orders.trades("DU1", 7, call))).resolves.toEqual([]);
    expect(ibkr.sent.filter((request) => request.endsWith("/trades"))).toHaveLength(2);
  });
});

function row(conid: number, over: object): object {
  return { acctId: "DU1", conid, contractDesc: "AAPL", position: 1.5, currency: "USD", assetClass: "STK", ...over };
}

describe("positions", () => {
  it("are read to the last page, each page again while it is sparse", async () => {
    const { ibkr, portfolio } = advisor();
    let reads = 0;
    ibkr.answers.set("/portfolio/DU1/positions/0", () => {
      reads += 1;
      return [row(1, reads === 1 ? {} : { ticker: "AAPL" }), row(2, { position: 0, ticker: "GONE" })];
    });
    ibkr.answers.set("/portfolio/DU1/positions/1", () => [
      row(3, { ticker: "SPY", assetClass: "OPT", strike: "640", putOrCall: "C", expiry: "20270115", multiplier: 100, avgCost: 250 }),
    ]);
    ibkr.answers.set("/portfolio/DU1/positions/2", () => []);
    const positions = await ibkr.settle(portfolio.positions("DU1", call));
    expect(positions.map((position) => position.conid)).toEqual([1, 3]);
    expect(JSON.parse(JSON.stringify(positions[1]))).toMatchObject({
      secType: "OPT",
      strike: "640",
      right: "C",
      expiry: "2027-01-15",
      multiplier: "100",
      averagePrice: "2.5",
    });
    expect(ibkr.sent.filter((request) => request.includes("/positions/"))).toHaveLength(4);
  });
});

describe("orders", () => {
  it("are primed once in a session, without filters, for the account that is asked about", async () => {
    const { ibkr, orders } = advisor();
    const statuses = [{ authenticated: false, connected: true }];
    ibkr.answers.set("/iserver/auth/status", () => statuses.shift() ?? { authenticated: true, connected: true, established: true });
    let reads = 0;
    ibkr.answers.set("/iserver/account/orders", ({ query }) => {
      reads += 1;
      const account = query.get("accountId");
      return {
        orders:
          reads === 1
            ? []
            : [
                { orderId: 7, account, conid: 1, status: "pre_submitted", orderType: "Stop", auxPrice: "", price: "9" },
                { orderId: 8, account: "DU9", conid: 1 },
              ],
        snapshot: false,
      };
    });
    ibkr.answers.set("/trsrv/secdef", () => ({ secdef: [] }));
    const started = ibkr.clock.now();
    const list = await ibkr.settle(orders.list("DU2", call));
    expect(list.orders).toHaveLength(1);
    expect(JSON.parse(JSON.stringify(list.orders[0]))).toMatchObject({
      orderId: "7",
      accountId: "DU2",
      status: "PreSubmitted",
      orderType: "STP",
      stopPrice: "9",
    });
    expect(ibkr.clock.now() - started).toBeLessThan(4000);
    expect(ibkr.contents.filter((content) => content.includes("accountId"))).toEqual(["?accountId=DU2", "?accountId=DU2"]);
  });
});
