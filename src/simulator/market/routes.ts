import type { Route } from "../http/route.ts";
import { contractRoutes } from "./contracts/contract-routes.ts";
import { currencyRoutes } from "./contracts/currency-routes.ts";
import { optionRoutes } from "./contracts/option-routes.ts";
import { scheduleRoutes } from "./contracts/schedule-routes.ts";
import { searchRoutes } from "./contracts/search-routes.ts";
import { securityRoutes } from "./contracts/security-routes.ts";
import { historyRoutes } from "./market-data/history-routes.ts";
import { snapshotRoutes } from "./market-data/snapshot-routes.ts";
import { scannerRoutes } from "./scanner/scanner-routes.ts";

/** Every endpoint about contracts and market data: sections D and E of IBKR's API. */
export const marketRoutes: readonly Route[] = [
  ...searchRoutes,
  ...securityRoutes,
  ...scheduleRoutes,
  ...contractRoutes,
  ...optionRoutes,
  ...currencyRoutes,
  ...snapshotRoutes,
  ...historyRoutes,
  ...scannerRoutes,
];
