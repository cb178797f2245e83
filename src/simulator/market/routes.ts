import type { Route } from "../http/route.ts";

/** Every endpoint about contracts and market data. */
export const marketRoutes: readonly Route[] = [];
