import type { Route } from "../http/route.ts";
import { accountRoutes } from "./account-routes.ts";
import { accountSummaryRoutes } from "./account-summary-routes.ts";
import { orderListRoutes } from "./order-list-routes.ts";
import { orderRoutes } from "./order-routes.ts";
import { performanceRoutes } from "./performance-routes.ts";
import { portfolioAccountRoutes } from "./portfolio-account-routes.ts";
import { portfolioRoutes } from "./portfolio-routes.ts";
import { positionRoutes } from "./position-routes.ts";

/** Every endpoint of accounts, portfolio and orders. */
export const tradingRoutes: readonly Route[] = [
  ...accountRoutes,
  ...accountSummaryRoutes,
  ...portfolioAccountRoutes,
  ...portfolioRoutes,
  ...positionRoutes,
  ...orderRoutes,
  ...orderListRoutes,
  ...performanceRoutes,
];
