import { Accounts } from "../../src/ibkr/accounts.ts";
import { Contracts } from "../../src/ibkr/contracts.ts";
import { createLiveData, type LiveData } from "../../src/ibkr/live-data.ts";
import { Orders } from "../../src/ibkr/orders.ts";
import { SelectedAccount } from "../../src/ibkr/selected-account.ts";
import { Streams } from "../../src/ibkr/streams.ts";
import { type ScriptedIbkr, scriptedIbkr } from "./scripted-ibkr.ts";
import { type ScriptedSockets, scriptedSockets } from "./scripted-sockets.ts";
import { silentLog } from "./silent-log.ts";

/** Orders at an IBKR, and a stream of it, whose every answer is written by the test. */
export interface ScriptedOrders {
  readonly ibkr: ScriptedIbkr;
  readonly sockets: ScriptedSockets;
  readonly live: LiveData;
  readonly orders: Orders;
}

/** The accounts of the connection. */
export const [MINE, OTHER] = ["DU1234567", "DU7654321"] as const;

/** Makes them for one account, or for both; contract 1 is a stock in dollars. Without a stream, the orders don't know of one. */
export function scriptedOrders({ hasStream = true, accounts = [MINE] as readonly string[] } = {}): ScriptedOrders {
  const ibkr = scriptedIbkr();
  const sockets = scriptedSockets();
  ibkr.answers.set("/iserver/accounts", () => ({ accounts, selectedAccount: MINE, isPaper: true }));
  ibkr.answers.set("/portfolio/accounts", () => accounts.map((id) => ({ id, accountId: id, currency: "USD" })));
  ibkr.answers.set("/trsrv/secdef", ({ query }) => ({
    secdef: query.get("conids") === "1" ? [{ conid: 1, ticker: "T1", name: "TEST", assetClass: "STK", currency: "USD" }] : [],
  }));
  ibkr.answers.set("/iserver/account", () => ({ set: true }));
  const { api, clock, session } = ibkr;
  const live = createLiveData({
    session,
    socket: sockets.edge,
    lines: new Streams({ api, clock, log: silentLog }),
    clock,
    random: { bytes: (length) => Buffer.alloc(length) },
    log: silentLog,
    userAgent: "test",
  });
  const selection = new SelectedAccount(clock);
  const orders = new Orders({
    api,
    accounts: new Accounts(api, () => selection),
    contracts: new Contracts(api),
    live: hasStream ? live.orders : undefined,
  });
  return { ibkr, sockets, live, orders };
}
