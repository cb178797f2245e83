import { createServer, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { AuthorizationServer } from "../auth/oauth/authorization-server.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { McpEndpoint } from "../mcp/endpoint.ts";
import type { PageRenderer } from "../pages/page-renderer.tsx";
import { createHandler } from "./handler.ts";
import type { HealthCheck } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import type { SiteHandlers } from "./routes.ts";

/** A request must have arrived whole within this time: bodies are small. */
const REQUEST_LIMIT_MS = 30_000;
const HEADERS_LIMIT_MS = 10_000;
/** Longer than the idle time of common proxies (60 s), so that it is they who close. */
const KEEP_ALIVE_MS = 65_000;
/** How long running calls may take to end when the server closes: a call's own limit and a little more. */
const DRAIN_LIMIT_MS = 40_000;

export interface HttpServerDeps {
  readonly mcp: McpEndpoint;
  /** The authorization server, which is made once the public URL is known. */
  readonly oauth: () => Pick<AuthorizationServer, "handle">;
  readonly metrics: Metrics;
  readonly healthChecks: Readonly<Record<string, HealthCheck>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly version: string;
  /** The pages for people; without them only the protocol is served. */
  readonly site?: { readonly pages: PageRenderer; readonly handlers: SiteHandlers } | undefined;
}

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  /** Default: `http://localhost:<port>`. */
  readonly publicUrl?: string | undefined;
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
  /** Refuses requests that came through a proxy, because a demo key is about. */
  readonly refuseForwarded?: boolean | undefined;
  /** Shows `/metrics` to other machines too. */
  readonly publicMetrics?: boolean | undefined;
  readonly requestLimitMs?: number | undefined;
  readonly drainLimitMs?: number | undefined;
}

/** The one HTTP server of the gateway. */
export interface HttpServer {
  /** Binds, and answers the URL that clients use. Rejects with node's error when the port is taken. */
  listen(): Promise<string>;
  /** The public URL; known once `listen` has resolved. */
  readonly url: string;
  /** Where it listens, reachable from this machine; known once `listen` has resolved. */
  readonly boundUrl: string;
  /** Takes no more requests, lets running ones end within the drain limit, and closes. */
  close(): Promise<void>;
}

/** Makes the server: `/mcp` on node's own objects, the pages through Hono, every URL in `routes.ts`. */
export function createHttpServer(deps: HttpServerDeps, options: HttpServerOptions): HttpServer {
  const running = new Set<ServerResponse>();
  const state: { draining: boolean; url: string | undefined } = { draining: false, url: options.publicUrl };
  let boundUrl: string | undefined;
  const handle = createHandler(deps, options, state);
  const server = createServer(
    {
      requestTimeout: options.requestLimitMs ?? REQUEST_LIMIT_MS,
      headersTimeout: Math.min(HEADERS_LIMIT_MS, options.requestLimitMs ?? REQUEST_LIMIT_MS),
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(1_000, options.requestLimitMs ?? REQUEST_LIMIT_MS),
    },
    (req, res) => {
      running.add(res);
      res.once("close", () => running.delete(res));
      if (state.draining) res.shouldKeepAlive = false;
      handle(req, res);
    },
  );
  server.on("clientError", answerBrokenRequest);
  return {
    get url() {
      return known(state.url);
    },
    get boundUrl() {
      return known(boundUrl);
    },
    listen: async () => {
      await bind(server, options);
      const address = server.address();
      const port = address !== null && typeof address === "object" ? address.port : options.port;
      boundUrl = `http://${reachableHost(options.host)}:${port}`;
      state.url ??= `http://localhost:${port}`;
      return state.url;
    },
    close: async () => {
      state.draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await drained(running, deps.clock, options.drainLimitMs ?? DRAIN_LIMIT_MS);
      await deps.mcp.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function known(url: string | undefined): string {
  if (url === undefined) throw new Error("the server's URL is known once it listens");
  return url;
}

/** The name by which this machine reaches a bound address: a wildcard is reached by loopback. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/** How often a closing server looks whether the last call has ended. */
const DRAIN_CHECK_MS = 25;

/** Waits until nothing runs but streams, which end only because the server closes. */
async function drained(running: ReadonlySet<ServerResponse>, clock: Clock, limitMs: number): Promise<void> {
  const endsAt = clock.monotonic() + limitMs;
  while (![...running].every(isStream) && clock.monotonic() < endsAt) await clock.wait(DRAIN_CHECK_MS);
}

function isStream(res: ServerResponse): boolean {
  return String(res.getHeader("content-type")).startsWith("text/event-stream");
}

function bind(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Answers what node can't even parse, or what did not arrive in time. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, message] = BROKEN[error.code ?? ""] ?? ["400 Bad Request", "This is not a valid HTTP request."];
  const body = JSON.stringify({ error: message });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const BROKEN: Readonly<Record<string, readonly [string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request did not arrive whole in time."],
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "The request's headers are too large."],
};
