import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { createMcpHandler, isLegacyRequest, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";

import type { Log } from "../lib/log.ts";
import { MODERN_VERSION } from "./protocol.ts";
import { createSdkServer, type LegacyExchange, type SdkRequest, type SdkServerDeps } from "./sdk-server.ts";

export interface SdkBridgeDeps extends SdkServerDeps {
  readonly log: Log;
}

/** A parsed message on its way to the SDK. */
export interface BridgedRequest extends Omit<SdkRequest, "era"> {
  readonly message: unknown;
}

/** Most open `subscriptions/listen` streams: nothing is ever announced on them, so few clients hold one. */
const MAX_SUBSCRIPTIONS = 256;

/** The way to the SDK for everything that the fast lane doesn't answer. */
export interface SdkBridge {
  handle(req: IncomingMessage, res: ServerResponse, request: BridgedRequest): Promise<void>;
  close(): Promise<void>;
}

/** Builds the bridge: a strict handler for 2026-07-28, and a server per request for the eras before it. */
export function createSdkBridge(deps: SdkBridgeDeps): SdkBridge {
  const origins = new WeakMap<Request, BridgedRequest>();
  const modern = createMcpHandler(
    ({ requestInfo }) => {
      const origin = requestInfo === undefined ? undefined : origins.get(requestInfo);
      if (origin === undefined) throw new Error("a request came to the SDK that did not pass the endpoint");
      return createSdkServer(deps, { ...origin, era: MODERN_VERSION });
    },
    {
      legacy: "reject",
      maxSubscriptions: MAX_SUBSCRIPTIONS,
      onerror: (error) => deps.log.debug({ err: error }, "the protocol library refused a request"),
    },
  );
  const serveLegacy = async (exchange: LegacyExchange): Promise<Response> =>
    (await deps.extend?.serveLegacy?.(exchange)) ?? serveLegacyStateless(exchange);
  return {
    handle: async (req, res, request) => {
      const webRequest = toWebRequest(req, res);
      origins.set(webRequest, request);
      const { message } = request;
      const response = (await isLegacyRequest(webRequest, message))
        ? await serveLegacy({ request: webRequest, message, createServer: () => createSdkServer(deps, { ...request, era: "legacy" }) })
        : await modern.fetch(webRequest, { parsedBody: message });
      await sendResponse(res, response);
    },
    close: () => modern.close(),
  };
}

/** One server and one transport for one request, answered as JSON whatever `Accept` says: scripts send none. */
async function serveLegacyStateless({ request, message, createServer }: LegacyExchange): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set("accept", "application/json, text/event-stream");
  const server = createServer();
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  try {
    const asked = new Request(request.url, { method: request.method, headers, signal: request.signal });
    return await transport.handleRequest(asked, { parsedBody: message });
  } finally {
    await server.close();
  }
}

function toWebRequest(req: IncomingMessage, res: ServerResponse): Request {
  const headers = new Headers();
  for (const [name, values] of Object.entries(req.headersDistinct)) for (const value of values ?? []) headers.append(name, value);
  const hungUp = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) hungUp.abort(new DOMException("the client hung up", "AbortError"));
  });
  // The SDK reads the parsed body, never the URL's host.
  return new Request(`http://localhost${req.url ?? "/"}`, { method: req.method ?? "POST", headers, signal: hungUp.signal });
}

async function sendResponse(res: ServerResponse, response: Response): Promise<void> {
  if (res.destroyed) {
    await response.body?.cancel();
    return;
  }
  for (const [name, value] of response.headers) res.setHeader(name, value);
  res.statusCode = response.status;
  if (response.body === null) {
    res.end();
    return;
  }
  if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    res.end(await response.text());
    return;
  }
  res.flushHeaders();
  await pipeline(Readable.fromWeb(response.body), res).catch((error: unknown) => {
    if (!isHangUp(error)) throw error;
  });
}

function isHangUp(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
