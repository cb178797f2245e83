import { describe, expect, it } from "vitest";

import { endpointClassOf } from "./pacing-observer.ts";

describe("the kind of an endpoint", () => {
  it.each([
    ["/oauth/live_session_token", "session"],
    ["/iserver/auth/ssodh/init", "session"],
    ["/iserver/accounts", "session"],
    ["/iserver/account", "session"],
    ["/tickle", "session"],
    ["/iserver/account/orders", "order_reads"],
    ["/iserver/account/order/status/{orderId}", "order_reads"],
    ["/iserver/account/trades", "order_reads"],
    ["/iserver/account/pnl/partitioned", "order_reads"],
    ["/iserver/account/{accountId}/orders", "orders"],
    ["/iserver/account/{accountId}/orders/whatif", "orders"],
    ["/iserver/account/{accountId}/order/{orderId}", "orders"],
    ["/iserver/reply/{replyId}", "orders"],
    ["/portfolio/accounts", "portfolio"],
    ["/portfolio/{accountId}/positions/{page}", "portfolio"],
    ["/pa/transactions", "performance"],
    ["/iserver/marketdata/history", "history"],
    ["/iserver/marketdata/snapshot", "quotes"],
    ["/iserver/scanner/run", "scanner"],
    ["/trsrv/secdef", "contracts"],
    ["/iserver/contract/rules", "contracts"],
    ["/iserver/account/{accountId}/summary", "portfolio"],
    ["/fyi/notifications", "other"],
    ["/iserver/accountsummary", "other"],
    ["/iserver/accounts/more", "other"],
    ["/x/tickle", "other"],
    ["/x/iserver/account/trades", "other"],
    ["/x/iserver/reply/{replyId}", "other"],
    ["/x/portfolio/accounts", "other"],
    ["/x/pa/transactions", "other"],
    ["/x/iserver/marketdata/history", "other"],
    ["/x/iserver/marketdata/snapshot", "other"],
    ["/x/iserver/scanner/run", "other"],
    ["/x/trsrv/secdef", "other"],
  ])("%s is %s", (endpoint, kind) => {
    expect(endpointClassOf(endpoint)).toBe(kind);
  });
});
