import type { Clock } from "../lib/clock.ts";
import { GatewayError, messageOf } from "../lib/errors.ts";
import { background, type Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { readFrame, type StreamFrame, TIC } from "./endpoints/stream.ts";
import type { Session } from "./session.ts";
import type { SocketAccess } from "./socket-access.ts";
import type { SocketConnection, SocketEdge } from "./socket-edge.ts";
import type { StreamFeed } from "./stream-feed.ts";

/** Nobody asked for anything that is streamed for so long: the socket is closed. */
const IDLE_MS = 600_000;
/** IBKR sends a sign of life every ten seconds; after two that did not come, what was heard is not trusted any more. */
export const SILENCE_MS = 25_000;
/** From opening to greeting; IBKR greets within a second once the session stands. */
const GREETING_LIMIT_MS = 20_000;
/** IBKR wants a sign of life every minute. */
const TIC_EVERY_MS = 40_000;
const LOOK_EVERY_MS = 5000;
/** Pauses between attempts, doubled with each failure in a row. Polling serves meanwhile. */
const PAUSE_MS = { first: 1000, most: 300_000 };
/** A socket that was up for so long was no failure. */
const STABLE_MS = 60_000;
/** One that ends is no news; this many in a row are. */
const FAILURES_TOLD = 2;

export interface StreamDeps {
  readonly session: Pick<Session, "isReady" | "generation" | "socketAccess" | "heardStatus" | "learned" | "note" | "onHealth">;
  readonly socket: SocketEdge;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** IBKR's firewall refuses sockets without one. */
  readonly userAgent: string;
}

/** What metrics show of a stream. */
export interface StreamFigures {
  /** `off`: nobody needs it; `live`: quotes come by it; `polling`: they don't, and it is tried again. */
  readonly state: "off" | "live" | "polling";
  /** Sockets that were greeted, and how many of those took the place of one that had ended. */
  readonly openings: number;
  readonly reconnects: number;
  readonly frames: number;
  /** Frames that could not be read. */
  readonly malformed: number;
  /** Open subscriptions: contracts, orders, executions, profit and loss. */
  readonly subscriptions: number;
}

interface Connection {
  readonly generation: number;
  readonly openedAt: number;
  socket: SocketConnection | undefined;
  isGreeted: boolean;
  heardAt: number;
  ticAt: number;
  hasComplained: boolean;
}

/**
 * The one WebSocket of a session: opened when something that is streamed is asked for, kept alive, opened anew with bounded
 * back-off, closed when nobody needs it. It belongs to one brokerage session and ends with that.
 */
export class Stream {
  readonly #deps: StreamDeps;
  readonly #feeds: StreamFeed[] = [];
  readonly #ended = new AbortController();
  readonly #counts = { openings: 0, reconnects: 0, frames: 0, malformed: 0 };
  #connection: Connection | undefined;
  #isConnecting = false;
  #neededUntil = 0;
  #failures = 0;
  #retryAt = 0;
  #hasEndedOnce = false;
  #stopLooking: (() => void) | undefined;

  constructor(deps: StreamDeps) {
    this.#deps = deps;
    deps.session.onHealth(() => this.#sessionChanged());
  }

  /** Adds one who subscribes and hears. Before the first `need`. */
  attach(feed: StreamFeed): void {
    this.#feeds.push(feed);
  }

  /** True while what is heard is current: greeted, of the session that stands, and not silent. */
  get isLive(): boolean {
    const { session, clock } = this.#deps;
    const connection = this.#connection;
    return (
      connection?.isGreeted === true &&
      session.isReady &&
      connection.generation === session.generation &&
      !isSilent(connection, clock.now())
    );
  }

  figures(): StreamFigures {
    const isNeeded = this.#stopLooking !== undefined;
    const subscriptions = this.#feeds.reduce((sum, feed) => sum + feed.subscriptions, 0);
    return { state: !isNeeded ? "off" : this.isLive ? "live" : "polling", ...this.#counts, subscriptions };
  }

  /** Tells that something streamed is in use. Opens the socket in the background, and keeps it for ten minutes. */
  need(): void {
    const { clock, log } = this.#deps;
    if (this.#ended.signal.aborted) return;
    this.#neededUntil = clock.now() + IDLE_MS;
    if (this.#stopLooking === undefined) this.#stopLooking = clock.every(LOOK_EVERY_MS, () => this.#look());
    if (this.#connection === undefined && !this.#isConnecting) background(this.#connect(), log, "opening the stream");
  }

  /** Sends a frame. What is sent while the stream isn't greeted is lost at IBKR, so it isn't sent. */
  send(text: string): void {
    if (this.#connection?.isGreeted === true) this.#connection.socket?.send(text);
  }

  close(): void {
    this.#ended.abort();
    this.#stop();
  }

  #stop(): void {
    this.#stopLooking?.();
    this.#stopLooking = undefined;
    this.#leave();
  }

  /** Leaves the socket without counting it as a failure. */
  #leave(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.socket?.end();
    if (connection?.isGreeted !== true) return;
    this.#hasEndedOnce = true;
    for (const feed of this.#feeds) feed.lost();
  }

  #sessionChanged(): void {
    const { session, log } = this.#deps;
    const isOfSession = session.isReady && this.#connection?.generation === session.generation;
    if (this.#connection !== undefined && !isOfSession) this.#leave();
    if (this.#stopLooking !== undefined) background(this.#connect(), log, "opening the stream");
  }

  #look(): void {
    const { clock, log } = this.#deps;
    const now = clock.now();
    if (now >= this.#neededUntil) return this.#stop();
    const connection = this.#connection;
    if (connection === undefined) return background(this.#connect(), log, "opening the stream");
    if (!connection.isGreeted && now - connection.openedAt >= GREETING_LIMIT_MS) return this.#failed("no greeting");
    if (connection.isGreeted && isSilent(connection, now)) return this.#failed("silence");
    if (!connection.isGreeted) return undefined;
    if (now - connection.ticAt >= TIC_EVERY_MS) {
      connection.ticAt = now;
      this.send(TIC);
    }
    for (const feed of this.#feeds) feed.tick(now);
    return undefined;
  }

  async #connect(): Promise<void> {
    const { session, clock } = this.#deps;
    const now = clock.now();
    // The stream follows the session; it never opens one.
    const isPossible = session.isReady && now >= this.#retryAt && now < this.#neededUntil && !this.#ended.signal.aborted;
    if (!isPossible || this.#isConnecting || this.#connection !== undefined) return;
    this.#isConnecting = true;
    try {
      const access = await session.socketAccess(this.#ended.signal);
      if (this.#stopLooking !== undefined && access.generation === session.generation) this.#open(access);
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#failed(messageOf(error));
    } finally {
      this.#isConnecting = false;
    }
  }

  #open({ url, headers, generation }: SocketAccess): void {
    const { clock, userAgent } = this.#deps;
    const now = clock.now();
    const connection: Connection = {
      generation,
      openedAt: now,
      socket: undefined,
      isGreeted: false,
      heardAt: now,
      ticAt: now,
      hasComplained: false,
    };
    this.#connection = connection;
    connection.socket = this.#deps.socket(url, {
      headers: { ...headers, "user-agent": userAgent },
      listener: {
        text: (text) => {
          if (this.#connection === connection) this.#heard(connection, text);
        },
        ended: (reason) => {
          if (this.#connection === connection) this.#failed(reason);
        },
      },
    });
  }

  #heard(connection: Connection, text: string): void {
    const { session, clock, log } = this.#deps;
    connection.heardAt = clock.now();
    this.#counts.frames += 1;
    const frame = readFrame(text);
    if (frame === undefined) {
      this.#counts.malformed += 1;
      if (!connection.hasComplained) log.warn({ characters: text.length }, "a frame of the stream could not be read");
      connection.hasComplained = true;
    } else if (frame.kind === "greeting") this.#greeted(connection, frame);
    else if (frame.kind === "status") session.heardStatus(connection.generation, frame.status);
    else if (frame.kind === "refused") log.debug({ characters: frame.text.length }, "IBKR did not take a frame");
    else if (connection.isGreeted) for (const feed of this.#feeds) feed.heard(frame);
  }

  #greeted(connection: Connection, { userName, isPaper }: StreamFrame & { readonly kind: "greeting" }): void {
    const { session, log } = this.#deps;
    if (connection.isGreeted) return;
    session.learned({ userName, isPaper });
    // What was learnt may have ended the session, and the stream with it.
    if (this.#connection !== connection) return;
    connection.isGreeted = true;
    this.#counts.openings += 1;
    if (this.#hasEndedOnce) this.#counts.reconnects += 1;
    session.note("market_data", "ok");
    log.debug({ generation: connection.generation }, "stream open");
    for (const feed of this.#feeds) feed.opened(connection.generation);
  }

  #failed(reason: string): void {
    const { session, clock, log } = this.#deps;
    const connection = this.#connection;
    const now = clock.now();
    if (connection?.isGreeted === true && now - connection.openedAt >= STABLE_MS) this.#failures = 0;
    this.#failures += 1;
    const pauseMs = Math.round(Math.min(PAUSE_MS.first * 2 ** (this.#failures - 1), PAUSE_MS.most) * (1 + 0.2 * this.#fraction()));
    this.#retryAt = now + pauseMs;
    this.#leave();
    log.info({ reason, failures: this.#failures, pauseMs }, "stream ended; quotes are polled until it is back");
    if (this.#failures >= FAILURES_TOLD) session.note("market_data", unstreamed(reason), "ok");
    background(this.#retryAfter(pauseMs), log, "opening the stream");
  }

  async #retryAfter(pauseMs: number): Promise<void> {
    await this.#deps.clock.wait(pauseMs, this.#ended.signal).catch(() => undefined);
    await this.#connect();
  }

  #fraction(): number {
    return this.#deps.random.bytes(2).readUInt16BE() / 0x10000;
  }
}

/** A clock that was set, back or ahead, says nothing of how long ago anything was heard. */
function isSilent({ heardAt }: Connection, now: number): boolean {
  return Math.abs(now - heardAt) >= SILENCE_MS;
}

function unstreamed(reason: string): GatewayError {
  return new GatewayError("upstream_unavailable", `IBKR's stream of quotes and orders cannot be had: ${reason}.`, {
    whatToDo: "Nothing needs to be done: quotes and orders are asked for one by one until the stream is back.",
  });
}
