import type { IncomingMessage, ServerResponse } from "node:http";

import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";

import type { RequestFacts } from "../mcp/endpoint.ts";
import { RPC } from "../mcp/protocol.ts";
import { refuse } from "../mcp/responses.ts";
import { createClientAddress } from "./client-address.ts";
import { createHealth } from "./health.ts";
import { createPages } from "./pages.ts";
import { createRequestIds } from "./request-ids.ts";
import { createRoutes, type PageBindings, type Route } from "./routes.ts";
import type { HttpServerDeps, HttpServerOptions } from "./server.ts";
import { createSiteGuard, type SiteGuard } from "./site-guard.ts";

/** What changes while the server runs. */
export interface ServerState {
  readonly draining: boolean;
  /** The public URL, once it is known. */
  readonly url: string | undefined;
}

/** URL that load balancers ask by address: it tells nothing and is not guarded. */
const HEALTH_PATH = "/healthz";

/** Makes the function that answers each request: id, guard, then the direct routes, then the pages. */
export function createHandler(
  deps: HttpServerDeps,
  options: HttpServerOptions,
  state: ServerState,
): (req: IncomingMessage, res: ServerResponse) => void {
  const nextRequestId = createRequestIds(deps.random);
  const clientAddress = createClientAddress(options.trustedProxies ?? []);
  const guard = lazily(() => createGuard(options, state));
  const routes = createRoutes({ mcp: (req, res, facts) => deps.mcp.handle(req, res, facts), ...pagesOf(deps, options, state) });
  const direct = new Map(routes.flatMap((route) => ("direct" in route ? [[route.path, route.direct] as const] : [])));
  const known = new Set(routes.map((route) => route.path));
  const servePage = createPageListener(routes);
  return (req, res) => {
    const facts = { requestId: nextRequestId(), address: clientAddress(req) };
    const path = pathOf(req.url);
    res.setHeader("X-Request-Id", facts.requestId);
    res.setHeader("X-Content-Type-Options", "nosniff");
    res.setHeader("Cache-Control", "no-store");
    res.once("finish", () => deps.metrics.request(known.has(path) ? path : "other", res.statusCode));
    const refusal = path === HEALTH_PATH ? undefined : guard().refusal(req);
    if (refusal !== undefined) {
      refuse(res, 403, RPC.refused, refusal);
      return;
    }
    const serve = direct.get(path);
    if (serve === undefined) {
      servePage(req, res, facts);
      return;
    }
    if (req.headers.origin !== undefined && allowCrossOrigin(req, res, req.headers.origin)) return;
    // A direct handler answers its own failures and never rejects.
    void serve(req, res, facts);
  };
}

function createGuard(options: HttpServerOptions, state: ServerState): SiteGuard {
  if (state.url === undefined) throw new Error("a request came before the server listens");
  return createSiteGuard({
    publicUrl: state.url,
    host: options.host,
    allowedOrigins: options.allowedOrigins ?? [],
    refuseForwarded: options.refuseForwarded ?? false,
  });
}

function pagesOf(deps: HttpServerDeps, options: HttpServerOptions, state: ServerState) {
  const { clock, log, version, metrics } = deps;
  const checkHealth = createHealth({ checks: deps.healthChecks, clock, log, version });
  return createPages({
    health: () => checkHealth(state.draining),
    metrics,
    publicUrl: () => state.url ?? "",
    version,
    publicMetrics: options.publicMetrics ?? false,
  });
}

/** Serves the pages through Hono; every page has the same strict headers. */
function createPageListener(routes: readonly Route[]) {
  const app = new Hono<PageBindings>();
  const factsOf = new WeakMap<object, RequestFacts>();
  app.use(async (c, next) => {
    await next();
    c.header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    c.header("Referrer-Policy", "no-referrer");
  });
  for (const route of routes) {
    if (!("page" in route)) continue;
    app.get(route.path, route.page);
    app.all(route.path, (c) => c.json({ error: "This page is read with GET." }, 405, { Allow: "GET, HEAD" }));
  }
  app.notFound((c) => c.json({ error: "There is nothing here. The MCP endpoint is /mcp." }, 404));
  const listener = getRequestListener(
    (request, env) => {
      const facts = "incoming" in env ? factsOf.get(env.incoming) : undefined;
      if (facts === undefined) throw new Error("a page was asked for without the server");
      return app.fetch(request, { facts });
    },
    { overrideGlobalObjects: false },
  );
  return (req: IncomingMessage, res: ServerResponse, facts: RequestFacts): void => {
    factsOf.set(req, facts);
    void listener(req, res);
  };
}

/** Lets a page of an allowed origin read the answers; answers its preflight itself, and then says true. */
function allowCrossOrigin(req: IncomingMessage, res: ServerResponse, origin: string): boolean {
  res.setHeader("Access-Control-Allow-Origin", origin);
  res.setHeader("Vary", "Origin");
  res.setHeader("Access-Control-Expose-Headers", "WWW-Authenticate, X-Request-Id, Retry-After");
  if (req.method !== "OPTIONS") return false;
  res.setHeader("Access-Control-Allow-Methods", "POST");
  res.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type, MCP-Protocol-Version, Mcp-Method, Mcp-Name");
  res.setHeader("Access-Control-Max-Age", "600");
  res.statusCode = 204;
  res.end();
  return true;
}

function pathOf(url: string | undefined): string {
  if (url === undefined) return "/";
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
