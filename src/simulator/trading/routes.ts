import type { Route } from "../http/route.ts";
import { accountRoutes } from "./account-routes.ts";
import { portfolioAccountRoutes } from "./portfolio-account-routes.ts";

/** Every endpoint of accounts, portfolio and orders. */
export const tradingRoutes: readonly Route[] = [...accountRoutes, ...portfolioAccountRoutes];
