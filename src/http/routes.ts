import type { Handler } from "hono";

import type { RequestFacts } from "../mcp/endpoint.ts";
import type { IncomingMessage, ServerResponse } from "node:http";

/** What a page's handler may read of the request beside what Hono knows. */
export interface PageBindings {
  readonly Bindings: { readonly facts: RequestFacts };
}

/** One URL. `direct` is served on node's own request and response, without the cost of a web-standard copy. */
export type Route =
  | { readonly path: string; readonly direct: (req: IncomingMessage, res: ServerResponse, facts: RequestFacts) => Promise<void> }
  | { readonly path: string; readonly page: Handler<PageBindings> };

/** The handlers of the routes, made where their parts are known. */
export interface RouteHandlers {
  readonly mcp: (req: IncomingMessage, res: ServerResponse, facts: RequestFacts) => Promise<void>;
  readonly health: Handler<PageBindings>;
  readonly metrics: Handler<PageBindings>;
  readonly home: Handler<PageBindings>;
}

/** EVERY URL of the gateway, in the order in which they are tried. Anything else is 404. */
export function createRoutes(handlers: RouteHandlers): readonly Route[] {
  return [
    { path: "/mcp", direct: handlers.mcp },
    { path: "/healthz", page: handlers.health },
    { path: "/metrics", page: handlers.metrics },
    { path: "/", page: handlers.home },
  ];
}
