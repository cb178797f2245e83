import type { IncomingMessage, ServerResponse } from "node:http";

import { getRequestListener } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";

import type { Log } from "../lib/log.ts";
import type { RequestFacts } from "../mcp/exchange.ts";
import type { PageRenderer } from "../pages/page-renderer.tsx";
import { createRouteLabels } from "./route-labels.ts";
import type { PageBindings, Route } from "./routes.ts";

/** The largest form holds two private keys as PEM, some 8 KB. */
const MAX_FORM_BYTES = 65_536;

export interface PageListenerDeps {
  readonly log: Log;
  /** How errors are shown to people; without it they are JSON. */
  readonly pages: PageRenderer | undefined;
}

/** Serves the pages through Hono. What sets no headers of its own gets the strictest ones; errors are pages for browsers and JSON for the rest. */
export function createPageListener(
  routes: readonly Route[],
  { log, pages }: PageListenerDeps,
): (req: IncomingMessage, res: ServerResponse, facts: RequestFacts) => void {
  const app = new Hono<PageBindings>();
  const factsOf = new WeakMap<object, RequestFacts>();
  const routeOf = createRouteLabels(routes.map((route) => route.path));
  app.use(async (c, next) => {
    await next();
    if (c.res.headers.has("Content-Security-Policy")) return;
    c.header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    c.header("Referrer-Policy", "no-referrer");
  });
  const limit = bodyLimit({
    maxSize: MAX_FORM_BYTES,
    onError: (c) => failure(c, "too_large", { status: 413, error: "The form is too large." }),
  });
  const failure = (
    c: Context<PageBindings>,
    kind: Parameters<PageRenderer["error"]>[0],
    json: { status: 404 | 413 | 500; error: string },
  ) =>
    pages !== undefined && wantsPage(c.req.header("accept"))
      ? pages.error(kind, { requestId: c.env.facts.requestId })
      : c.json({ error: json.error }, json.status);
  for (const route of routes) {
    if ("direct" in route) continue;
    if ("page" in route) app.get(route.path, route.page);
    if (route.submit !== undefined) app.post(route.path, limit, route.submit);
    const allowed = ["page" in route ? "GET, HEAD" : "", route.submit === undefined ? "" : "POST"].filter((method) => method !== "");
    app.all(route.path, (c) => c.json({ error: `This address takes ${allowed.join(", ")}.` }, 405, { Allow: allowed.join(", ") }));
  }
  app.notFound((c) => failure(c, "not_found", { status: 404, error: "There is nothing here. The MCP endpoint is /mcp." }));
  app.onError((error, c) => {
    // The route, not the path: some addresses are secrets.
    log.error({ err: error, requestId: c.env.facts.requestId, route: routeOf(c.req.path) }, "a page failed");
    return failure(c, "failure", { status: 500, error: "The server failed to answer this." });
  });
  const listener = getRequestListener(
    (request, env) => {
      const facts = "incoming" in env ? factsOf.get(env.incoming) : undefined;
      if (facts === undefined) throw new Error("a page was asked for without the server");
      // Node's server is the only caller, and it is one for HTTP/1.
      const { incoming, outgoing } = env as { incoming: IncomingMessage; outgoing: ServerResponse };
      return app.fetch(request, { facts, incoming, outgoing });
    },
    { overrideGlobalObjects: false },
  );
  return (req, res, facts) => {
    factsOf.set(req, facts);
    void listener(req, res);
  };
}

/** Tells whether who asks shows pages to a person. */
export function wantsPage(accept: string | undefined): boolean {
  return accept !== undefined && accept.includes("text/html");
}
