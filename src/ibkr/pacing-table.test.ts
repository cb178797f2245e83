import { expect, it } from "vitest";

import { ENDPOINT_LIMITS, GLOBAL_LIMITS } from "./pacing-table.ts";

// IBKR's published limits (Web API, "Pacing limitations"): requests and milliseconds.
it("takes four fifths of IBKR's limit for a user", () => {
  expect(GLOBAL_LIMITS).toEqual({ oauth: { requests: 50 * 0.8, perMs: 1000 }, gateway: { requests: 10 * 0.8, perMs: 1000 } });
});

it.each([
  ["/iserver/marketdata/snapshot", 8, 1000],
  ["/iserver/marketdata/history", 4, 0],
  ["/iserver/scanner/params", 1, 900_000],
  ["/iserver/scanner/run", 1, 1000],
  ["/iserver/account/trades", 1, 5000],
  ["/iserver/account/orders", 1, 5000],
  ["/iserver/account/pnl/partitioned", 1, 5000],
  ["/portfolio/accounts", 1, 5000],
  ["/portfolio/subaccounts", 1, 5000],
  ["/pa/performance", 1, 900_000],
  ["/pa/summary", 1, 900_000],
  ["/pa/allperiods", 1, 900_000],
  ["/pa/transactions", 1, 900_000],
  ["/sso/validate", 1, 60_000],
  ["/tickle", 1, 1000],
])("lets %s go %i times in %i ms", (endpoint, requests, perMs) => {
  expect(ENDPOINT_LIMITS[endpoint]).toEqual({ requests, perMs });
});
