import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";

import type { Log } from "../../lib/log.ts";
import type { Simulation } from "../simulation.ts";
import { CLOSE, SocketConnection } from "./connection.ts";
import type { Frame } from "./frame.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";
import { sessionIdOfCookie } from "./sign-in.ts";
import type { SocketClaim, SocketLogin } from "./sign-in.ts";

/** How often changes are told, and the socket's own times are looked at. */
const TICK_MS = 500;
/** Largest frame of a client; a subscription is some hundred bytes. */
const MAX_FRAME_BYTES = 65_536;
/** Sockets open at one time; more than a simulator has clients. */
const MAX_CONNECTIONS = 100;
/** How long clients may take to answer the closing handshake. */
const CLOSING_LIMIT_MS = 1_000;
/** Charts are numbered from here, as IBKR's are. */
const FIRST_SERIAL = 7_000_000;

const PATHS: ReadonlySet<string> = new Set(["/v1/api/ws", "/v1/portal/ws"]);

/** What the socket server stands on; the simulation's clock drives it. */
export interface SocketServerOptions {
  readonly simulation: Simulation;
  /** Who may open a socket with this access token. */
  readonly claimOf: (accessToken: string) => SocketClaim | undefined;
  readonly log: Log | undefined;
}

interface Admitted {
  readonly claim: SocketClaim;
  readonly login: SocketLogin | undefined;
}

/** IBKR's WebSocket: every open connection, and what happens to all of them. */
export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  readonly #connections = new Map<WebSocket, SocketConnection>();
  readonly #stopTicking: () => void;
  #serial = FIRST_SERIAL;

  constructor(options: SocketServerOptions) {
    this.#options = options;
    this.#stopTicking = options.simulation.clock.every(TICK_MS, () => this.#tick());
  }

  /**
   * Takes an upgrade of an HTTP server. A face with a sign-in of its own brings the claim; without one the address must
   * hold an access token. Refuses with 401, 403 (no User-Agent), 404 or 503 (too many).
   */
  upgrade(incoming: IncomingMessage, transport: Duplex, { head, claim }: { readonly head: Buffer; readonly claim?: SocketClaim }): void {
    const admitted = this.#admit(incoming, claim);
    if (typeof admitted === "number") return refuseUpgrade(transport, admitted);
    this.#server.handleUpgrade(incoming, transport, head, (socket) => this.#serve(socket, admitted));
  }

  /** Sends what nobody asked for to every socket of a user, or of all users: accounts, status, a bulletin, a notice. */
  push(topic: "act" | "sts" | "blt" | "ntf", args: unknown, userName?: string): void {
    const frame: Frame = { topic, args };
    if (this.#isSilent()) return;
    for (const connection of this.#connections.values())
      if (connection.isGreeted && (userName === undefined || connection.userName === userName)) connection.send(frame);
  }

  /** Cuts every connection without a closing handshake. */
  drop(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  /** Closes every connection and takes no more. */
  async close(): Promise<void> {
    this.#stopTicking();
    const sockets = [...this.#connections.keys()];
    const gone = sockets.map((socket) => new Promise<void>((resolve) => void socket.once("close", () => resolve())));
    for (const connection of this.#connections.values()) connection.close(CLOSE.goingAway, "the simulator stops");
    await Promise.race([Promise.all(gone), this.#options.simulation.clock.wait(CLOSING_LIMIT_MS)]);
    this.drop();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #admit({ headers, url: address = "/" }: IncomingMessage, given: SocketClaim | undefined): Admitted | number {
    const url = new URL(address, "http://localhost");
    if ((headers["user-agent"] ?? "").trim() === "") return 403;
    if (!PATHS.has(url.pathname)) return 404;
    if (this.#connections.size >= MAX_CONNECTIONS) return 503;
    const claim = given ?? this.#options.claimOf(url.searchParams.get("oauth_token") ?? "");
    if (claim === undefined) return 401;
    const sessionId = sessionIdOfCookie(headers.cookie);
    if (sessionId === undefined) return { claim, login: undefined };
    const login = claim.login(sessionId, this.#options.simulation.clock.now());
    return login === undefined ? 401 : { claim, login };
  }

  #serve(socket: WebSocket, { claim, login }: Admitted): void {
    const { simulation, log } = this.#options;
    const nextSerial = (): number => {
      this.#serial += 1;
      return this.#serial;
    };
    const connection = new SocketConnection({ socket, simulation, claim, login, nextSerial });
    this.#connections.set(socket, connection);
    socket.on("error", (error) => log?.debug({ err: error }, "socket failed"));
    socket.on("close", () => {
      this.#connections.delete(socket);
      connection.forget();
    });
    socket.on("message", (data, isBinary) => {
      if (this.#isSilent()) return;
      if (isBinary) connection.close(CLOSE.unsupported, "text only");
      else this.#guard(() => connection.receive(textOf(data)));
    });
  }

  #tick(): void {
    if (this.#isSilent()) return;
    const now = this.#options.simulation.clock.now();
    for (const connection of this.#connections.values()) this.#guard(() => connection.tick(now));
  }

  /** While the fault holds, sockets stay open without data, heartbeats and answers. */
  #isSilent(): boolean {
    const { clock, faults } = this.#options.simulation;
    return faults.silencesStreams(clock.now());
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      // One connection's trouble must not end the others; it tries again with the next tick or frame.
      this.#options.log?.error({ err: error }, "a socket could not be served");
    }
  }
}

function textOf(data: Buffer | ArrayBuffer | Buffer[]): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.isBuffer(data) ? data.toString("utf8") : Buffer.from(data).toString("utf8");
}
