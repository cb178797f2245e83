import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Server as SecureServer } from "node:https";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { readRequest } from "./read-request.ts";
import type { WireRequest } from "./read-request.ts";
import { textOf } from "./route.ts";
import type { SimReply } from "./route.ts";

/** How long an idle connection is kept for its client's next request. */
const KEEP_ALIVE_MS = 65_000;
/** How long a client may take to send one request. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How long requests that are under way may take once the server is closing. */
const CLOSING_LIMIT_MS = 2_000;

/** Where to listen, and who answers. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log | undefined;
  readonly answer: (request: WireRequest) => Promise<SimReply>;
  /** The time that answers are dated with, epoch ms: that of the clock by which signatures are judged. */
  readonly date: () => number;
  /** Makes it an HTTPS server. */
  readonly tls?: { readonly keyPem: string; readonly certificatePem: string } | undefined;
  /** Paths outside the API that are answered too. */
  readonly pages?: ReadonlySet<string> | undefined;
  /** Takes a request to upgrade to WebSocket, and answers for the connection from then on. */
  readonly upgrade?: (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** A server that listens. */
export interface HttpServer {
  /** The port that it listens on. */
  readonly port: number;
  /** Takes no more requests, finishes those under way within a limit, and frees the port. */
  close(): Promise<void>;
}

/** Starts serving. Rejects with node's error (`EADDRINUSE`, `EACCES` …) when it can't listen. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, clock, log, answer, date, upgrade, tls, pages } = options;
  const answering = new Set<Promise<void>>();
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming, pages);
    const refused = "status" in request;
    // A body that was not read can't be followed by another request on the same connection.
    if (refused && !incoming.complete) response.setHeader("connection", "close");
    const answered = (refused ? Promise.resolve(request) : answer(request)).then((reply) => write(response, reply, date()));
    answering.add(answered);
    await answered.finally(() => answering.delete(answered));
  };
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    serve(incoming, response).catch((error: unknown) => {
      log?.debug({ err: error }, "request ended without an answer");
      response.destroy();
    });
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer({ key: tls.keyPem, cert: tls.certificatePem }, listener);
  if (upgrade !== undefined) server.on("upgrade", upgrade);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await listen(server, host, port);
  return {
    port: portOf(server),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([Promise.all(answering), clock.wait(CLOSING_LIMIT_MS)]);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Resolves when the reply is with the operating system, or the client is gone. */
async function write(response: ServerResponse, reply: SimReply, date: number): Promise<void> {
  const text = textOf(reply);
  response.writeHead(reply.status, {
    "content-type": "text" in reply ? reply.contentType : "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    date: new Date(date).toUTCString(),
    ...reply.headers,
  });
  const written = new Promise<void>((resolve) => {
    response.once("close", resolve);
    response.once("finish", resolve);
  });
  if (reply.cutAfter === undefined) response.end(text);
  else response.write(Buffer.from(text).subarray(0, reply.cutAfter), () => response.destroy());
  await written;
}

function listen(server: Server | SecureServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function portOf(server: Server | SecureServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a TCP port");
  return address.port;
}
