import type { WebSocket } from "ws";

import { isRecord } from "../../lib/json.ts";
import { SERVER_INFO } from "../session/server-info.ts";
import { standingOf } from "../session/session-routes.ts";
import type { Standing } from "../session/session-routes.ts";
import type { Simulation } from "../simulation.ts";
import { tradingAccounts } from "../trading/account-routes.ts";
import type { Frame } from "./frame.ts";
import { readMessage } from "./frame.ts";
import type { SocketClaim, SocketLogin } from "./sign-in.ts";
import { Subscriptions } from "./subscriptions.ts";

/** From the opening to the greeting: what a client sends meanwhile is lost. */
const GREETING_DELAY_MS = 100;
/** How long a client that named no session in its cookie may take to name one in a frame. */
const SESSION_WAIT_MS = 30_000;
const HEARTBEAT_MS = 10_000;
/** A client that sends nothing for this long is gone; it should send `tic` at least every minute. */
const SILENCE_MS = 180_000;
/** Unsent bytes beyond which a slow reader gets no data for the time being: subscriptions tell later what changed meanwhile. */
const MAX_UNSENT_BYTES = 262_144;
/** How long a reader may stay that slow. */
const STALL_MS = 30_000;

/** Close codes (RFC 6455, 7.4.1): the server stops, the client sent bytes, the session is gone or was never named. */
export const CLOSE = { goingAway: 1001, unsupported: 1003, policy: 1008 } as const;

/** What a connection is made of. */
export interface ConnectionOptions {
  readonly socket: WebSocket;
  readonly simulation: Simulation;
  readonly claim: SocketClaim;
  /** Undefined where the client is to name its session in its first frame. */
  readonly login: SocketLogin | undefined;
  /** Gives each subscription a number of its own. */
  readonly nextSerial: () => number;
}

/** One open socket: its greeting, heartbeat and subscriptions. It acts when ticked and when its client speaks. */
export class SocketConnection {
  readonly #options: ConnectionOptions;
  readonly #openedAt: number;
  #login: SocketLogin | undefined;
  #greetAt: number;
  #greeted = false;
  #heartbeatAt: number;
  #heardAt: number;
  #stalledSince: number | undefined;
  #subscriptions: Subscriptions | undefined;
  #told: Standing | undefined;

  constructor(options: ConnectionOptions) {
    const now = options.simulation.clock.now();
    this.#options = options;
    this.#login = options.login;
    this.#openedAt = now;
    this.#heardAt = now;
    this.#heartbeatAt = now;
    this.#greetAt = now + GREETING_DELAY_MS;
    if (this.#login === undefined) this.send({ message: "waiting for session" });
  }

  get userName(): string | undefined {
    return this.#login?.session.user.userName;
  }

  /** True once the client has been greeted, and so hears what is sent to it. */
  get isGreeted(): boolean {
    return this.#greeted;
  }

  /** Sends a frame, unless the client is gone. */
  send(frame: Frame): void {
    const { socket } = this.#options;
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
  }

  close(code: number, reason: string): void {
    this.#subscriptions?.clear();
    this.#options.socket.close(code, reason);
  }

  /** Ends the subscriptions of a client that is gone. */
  forget(): void {
    this.#subscriptions?.clear();
  }

  /** Takes a text frame of the client. */
  receive(text: string): void {
    const { simulation } = this.#options;
    const now = simulation.clock.now();
    this.#heardAt = now;
    const message = readMessage(text);
    if (this.#login === undefined) {
      if (message.kind === "session") this.#nameSession(message.sessionId, now);
      return;
    }
    // Before the greeting IBKR loses what a client sends, without a word.
    if (!this.#greeted) return;
    if (message.kind === "tic") this.send({ topic: "tic", alive: true, id: this.#login.session.id, lastAccessed: now });
    else if (message.kind === "topic") this.#subscriptions?.take(message.message, now);
    else this.send({ error: `Topic unknown ${text.slice(0, 60)}`, code: 1 });
  }

  /** Lets time pass: greets, beats, tells what has changed, and ends what has outlived itself. */
  tick(now: number): void {
    const login = this.#login;
    if (login === undefined) {
      if (now - this.#openedAt >= SESSION_WAIT_MS) this.close(CLOSE.policy, "no session");
      return;
    }
    if (!login.isGood(now)) return this.#end(now);
    if (now - this.#heardAt >= SILENCE_MS) return this.close(CLOSE.goingAway, "no sign of life");
    if (!this.#greeted && now >= this.#greetAt) this.#greet(login, now);
    if (!this.#greeted || this.#isStalled(now)) return;
    this.#tellStanding(login, now);
    if (now - this.#heartbeatAt >= HEARTBEAT_MS) {
      this.#heartbeatAt = now;
      this.send({ topic: "system", hb: now });
    }
    for (const frame of this.#subscriptions?.poll(now) ?? []) this.send(frame);
  }

  #nameSession(sessionId: string, now: number): void {
    const login = this.#options.claim.login(sessionId, now);
    if (login === undefined) return this.close(CLOSE.policy, "not authenticated");
    this.#login = login;
    this.#greetAt = now + GREETING_DELAY_MS;
  }

  #greet(login: SocketLogin, now: number): void {
    const { session } = login;
    const { simulation, nextSerial } = this.#options;
    this.#greeted = true;
    this.#heartbeatAt = now;
    this.#subscriptions = new Subscriptions({ session, simulation, nextSerial, send: (frame) => this.send(frame) });
    this.send({ topic: "system", success: session.user.userName, isFT: false, isPaper: session.user.paper });
    const standing = standingOf(session, now);
    this.#told = standing;
    if (standing.established) this.send({ topic: "act", args: tradingAccounts(session) });
    const { serverName, serverVersion } = SERVER_INFO;
    const details = { message: "", fail: "", serverName, serverVersion, username: session.user.userName };
    this.send({ topic: "sts", args: { ...standing, ...details } });
  }

  /** Tells what has changed of the session; a brokerage session's end takes its subscriptions with it. */
  #tellStanding({ session }: SocketLogin, now: number): void {
    const standing = standingOf(session, now);
    const changed = changedParts(this.#told, standing);
    this.#told = standing;
    if (!standing.established) this.#subscriptions?.clearTier("brokerage");
    if (changed === undefined) return;
    this.send({ topic: "sts", args: changed });
    if (changed["established"] === true) this.send({ topic: "act", args: tradingAccounts(session) });
  }

  #end(now: number): void {
    if (this.#greeted) this.send({ topic: "sts", args: { authenticated: false, connected: false, established: false } });
    this.#heardAt = now;
    this.close(CLOSE.policy, "not authenticated");
  }

  #isStalled(now: number): boolean {
    const { socket } = this.#options;
    if (socket.bufferedAmount <= MAX_UNSENT_BYTES) {
      this.#stalledSince = undefined;
      return false;
    }
    this.#stalledSince ??= now;
    // A polite close would wait behind the bytes that nobody reads.
    if (now - this.#stalledSince >= STALL_MS) socket.terminate();
    return true;
  }
}

function changedParts(before: Standing | undefined, after: Standing): Frame | undefined {
  const old: unknown = before;
  const changed = Object.entries(after).filter(([name, value]) => !isRecord(old) || old[name] !== value);
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}
