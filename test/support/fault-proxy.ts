import { createServer, request as forward } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What becomes of one request on its way to the simulator: passed on; held before it is sent on, or passed on and its
 * answer held (until the test lets go, or for ever); its connection cut before or after the simulator has dealt with it.
 */
export type Fate = "pass" | "hold_request" | "hold_answer" | "cut_request" | "cut_answer";

/** A stretch of network between the gateway and the simulator, whose faults the test decides. */
export interface FaultProxy {
  readonly url: string;
  /** `METHOD path` of every request that was seen, in order. */
  readonly seen: readonly string[];
  /** Decides from now on; `pass` for all at the beginning. */
  decide(fate: (method: string, path: string) => Fate): void;
  /** Resolves when a request (or the simulator's answer to it) is being held. */
  held(): Promise<void>;
  /** Lets go what is held. */
  release(): void;
  /** Cuts every connection; what is held is never passed on. */
  close(): Promise<void>;
}

/** Starts a proxy on loopback that forwards to `target` (an origin), keeping the `Host` header as it came. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const seen: string[] = [];
  let fate: (method: string, path: string) => Fate = () => "pass";
  let holding = Promise.withResolvers<void>();
  let releasing = Promise.withResolvers<void>();
  const hold = async (): Promise<void> => {
    const released = releasing.promise;
    holding.resolve();
    await released;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const method = request.method ?? "GET";
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    seen.push(`${method} ${path}`);
    const decided = fate(method, path);
    if (decided === "cut_request") return void request.socket.destroy();
    if (decided === "hold_request") await hold();
    const answer = await send({ hostname, port, method, path: request.url ?? "/", headers: request.headers, body: Buffer.concat(chunks) });
    if (decided === "cut_answer") return void request.socket.destroy();
    if (decided === "hold_answer") await hold();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  // `listen` on TCP gives an address object with a port.
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    decide: (next) => void (fate = next),
    held: () => holding.promise,
    release: () => {
      releasing.resolve();
      holding = Promise.withResolvers();
      releasing = Promise.withResolvers();
    },
    close: async () => {
      // What is still held is gone with its cable, not passed on late.
      releasing.promise.catch(() => undefined);
      releasing.reject(new Error("the proxy is closed"));
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

interface Outgoing {
  readonly hostname: string;
  readonly port: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

function send({ body, ...options }: Outgoing): Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const outgoing = forward(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => void chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 502, headers: incoming.headers, body: Buffer.concat(chunks) }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
