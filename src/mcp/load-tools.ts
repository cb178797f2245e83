import { tool as cancelOrder } from "../tools/cancel-order.ts";
import { tool as getAccounts } from "../tools/get-accounts.ts";
import { tool as getCash } from "../tools/get-cash.ts";
import { tool as getChange } from "../tools/get-change.ts";
import { tool as getConnectionStatus } from "../tools/get-connection-status.ts";
import { tool as getCurrentAccount } from "../tools/get-current-account.ts";
import { tool as getExchangeRate } from "../tools/get-exchange-rate.ts";
import { tool as getFutures } from "../tools/get-futures.ts";
import { tool as getHistory } from "../tools/get-history.ts";
import { tool as getMarketHours } from "../tools/get-market-hours.ts";
import { tool as getOptionChain } from "../tools/get-option-chain.ts";
import { tool as getOrderStatus } from "../tools/get-order-status.ts";
import { tool as getOrders } from "../tools/get-orders.ts";
import { tool as getPerformance } from "../tools/get-performance.ts";
import { tool as getPnl } from "../tools/get-pnl.ts";
import { tool as getPortfolio } from "../tools/get-portfolio.ts";
import { tool as getQuote } from "../tools/get-quote.ts";
import { tool as getTrades } from "../tools/get-trades.ts";
import { tool as getTransactions } from "../tools/get-transactions.ts";
import { tool as placeOrder } from "../tools/place-order.ts";
import { tool as previewOrder } from "../tools/preview-order.ts";
import { tool as runScanner } from "../tools/run-scanner.ts";
import { tool as searchSecurity } from "../tools/search-security.ts";
import { tool as setCurrentAccount } from "../tools/set-current-account.ts";
import type { Tool } from "./define-tool.ts";

/** Every tool, in the order in which hosts list them. */
export function loadTools(): readonly Tool[] {
  return [
    getAccounts,
    getCurrentAccount,
    setCurrentAccount,
    getPortfolio,
    getCash,
    getPnl,
    searchSecurity,
    getQuote,
    getHistory,
    getChange,
    getMarketHours,
    getOrders,
    getOrderStatus,
    getTrades,
    previewOrder,
    placeOrder,
    cancelOrder,
    getConnectionStatus,
    // Beyond the core: in the order of the toolsets.
    getPerformance,
    getTransactions,
    getOptionChain,
    getFutures,
    runScanner,
    getExchangeRate,
  ];
}
