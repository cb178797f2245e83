import type { Socket } from "node:net";

import { type ClientOptions, type RawData, WebSocket } from "ws";

/** Larger than any first frame (the orders of a busy day); protects memory. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
/** As long as a request may take. */
const HANDSHAKE_LIMIT_MS = 15_000;
/** How long the other side may take to answer our goodbye before the connection is cut. */
const GOODBYE_LIMIT_MS = 1000;

/** Who hears what comes over a socket. */
export interface SocketListener {
  /** One frame. */
  text(text: string): void;
  /** Once, however it ended, and also when it never opened. The reason holds neither the address nor a header. */
  ended(reason: string): void;
}

/** One open (or opening) socket. */
export interface SocketConnection {
  /** Sends a frame; what is sent before the socket is open or after its end is lost. */
  send(text: string): void;
  /** Says goodbye and closes. */
  end(): void;
}

/** The network edge of streams: opens a socket. Never throws: a failure is told to the listener. */
export type SocketEdge = (url: string, options: SocketOptions) => SocketConnection;

export interface SocketOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly listener: SocketListener;
}

/** How the connection below a socket is made, where that differs. */
export interface SocketTransport {
  /** Makes the connection, TLS included, and hands it to the callback: for a pinned certificate and addresses checked before. */
  readonly createConnection?: (options: unknown, callback: (error: Error | null, socket: Socket) => void) => undefined;
}

/** Makes an edge over real WebSockets. Redirects are not followed. */
export function createSocketEdge(transport: SocketTransport = {}): SocketEdge {
  // `closeTimeout` is younger than the library's published types.
  const common = {
    // Node's HTTP client takes a connection by callback as well as at once; the published types know the second alone.
    createConnection: transport.createConnection as ClientOptions["createConnection"],
    followRedirects: false,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handshakeTimeout: HANDSHAKE_LIMIT_MS,
    closeTimeout: GOODBYE_LIMIT_MS,
  };
  return (url, { headers, listener }) => {
    let hasEnded = false;
    const ended = (reason: string): void => {
      if (hasEnded) return;
      hasEnded = true;
      listener.ended(reason);
    };
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, { ...common, headers });
    } catch {
      // Its error would hold the address, and that the access token.
      queueMicrotask(() => ended("the address cannot be used"));
      return { send: () => undefined, end: () => undefined };
    }
    socket.on("message", (data) => listener.text(textOf(data)));
    socket.on("error", (error) => ended(error.message));
    socket.on("close", (code) => ended(`closed with ${code}`));
    return {
      send: (text) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text);
      },
      end: () => {
        hasEnded = true;
        if (socket.readyState === WebSocket.OPEN) socket.close(1000);
        else socket.terminate();
      },
    };
  };
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.isBuffer(data) ? data.toString("utf8") : Buffer.from(data).toString("utf8");
}
