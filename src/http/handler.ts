import type { IncomingMessage, ServerResponse } from "node:http";

import { background } from "../lib/log.ts";
import { RPC } from "../mcp/protocol.ts";
import { refuse } from "../mcp/responses.ts";
import { createClientAddress } from "./client-address.ts";
import { createHealth } from "./health.ts";
import { createPageListener, wantsPage } from "./page-listener.ts";
import { createPages } from "./pages.ts";
import { createRequestIds } from "./request-ids.ts";
import { createRouteLabels } from "./route-labels.ts";
import { createRoutes, type Route } from "./routes.ts";
import type { HttpServerDeps, HttpServerOptions } from "./server.ts";
import { sendResponse } from "./send-response.ts";
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
  const clientAddress = createClientAddress(options.trustedProxies ?? [], () =>
    deps.log.warn(
      "a request has forwarding headers although TRUSTED_PROXIES does not name its sender: they are ignored, and all requests of a proxy in front of this gateway count as from the proxy's address until it is named; without one, somebody made the headers up",
    ),
  );
  const guard = lazily(() => createGuard(options, state));
  const pages = pagesOf(deps, options, state);
  const help = deps.site?.handlers.help;
  const routes = createRoutes({
    mcp: (req, res, facts) => deps.mcp.handle(req, res, facts),
    oauth: (req, res, facts) => deps.oauth().handle(req, res, facts),
    ...pages,
    home: (c, next) => (help !== undefined && wantsPage(c.req.header("accept")) ? help.showHome(c) : pages.home(c, next)),
    site: deps.site?.handlers,
  });
  const direct = createDirectRoutes(routes);
  const labelOf = createRouteLabels(routes.map((route) => route.path));
  const servePage = createPageListener(routes, { log: deps.log, pages: deps.site?.pages });
  return (req, res) => {
    const facts = { requestId: nextRequestId(), address: clientAddress(req) };
    const path = pathOf(req.url);
    res.setHeader("X-Request-Id", facts.requestId);
    res.setHeader("X-Content-Type-Options", "nosniff");
    res.setHeader("Cache-Control", "no-store");
    if (state.url?.startsWith("https:") === true) res.setHeader("Strict-Transport-Security", "max-age=31536000");
    const route = direct(path);
    res.once("finish", () => deps.metrics.request(labelOf(path), res.statusCode));
    const refusal = path === HEALTH_PATH ? undefined : guard().refusal(req, { anyOrigin: route?.anyOrigin });
    if (refusal !== undefined) {
      if (deps.site === undefined || !wantsPage(req.headers.accept)) refuse(res, 403, RPC.refused, refusal);
      else
        background(
          sendResponse(res, deps.site.pages.error("forbidden", { ...facts, message: refusal, whatToDo: "" })),
          deps.log,
          "a refusal",
        );
      return;
    }
    if (route === undefined) {
      servePage(req, res, facts);
      return;
    }
    if (route.anyOrigin !== true && req.headers.origin !== undefined && allowCrossOrigin(req, res, req.headers.origin)) return;
    void route.direct(req, res, facts);
  };
}

type DirectRoute = Extract<Route, { direct: unknown }>;

/** Finds the direct route of a path: by the whole path, or by all but its last segment where the route ends in a `:name`. */
function createDirectRoutes(routes: readonly Route[]): (path: string) => DirectRoute | undefined {
  const direct = routes.filter((route): route is DirectRoute => "direct" in route);
  const whole = new Map(direct.map((route) => [route.path, route]));
  const parents = new Map(
    direct.flatMap((route) => (/\/:\w+$/.test(route.path) ? [[route.path.replace(/\w+$/, ""), route] as const] : [])),
  );
  return (path) => whole.get(path) ?? (parents.size === 0 ? undefined : parents.get(`${path.slice(0, path.lastIndexOf("/") + 1)}:`));
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
