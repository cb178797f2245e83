import type { CallOptions } from "../broker/broker.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { background, type Log } from "../lib/log.ts";
import type { Api } from "./api.ts";
import { UNSUBSCRIBE_ALL, unsubscribeRequest } from "./endpoints/market-data.ts";

/** IBKR gives a user 100 market data lines, shared with TWS; beyond them it stays silent. */
export const MAX_LINES = 90;
/** More than this at once are closed all together: one request instead of many. */
const MAX_SINGLE_CLOSINGS = 10;
const IDLE_MS = 300_000;
const SWEEP_EVERY_MS = 60_000;

/** Market data lines that our snapshots opened at IBKR: keeps them within the user's number, closes the idle ones. */
export class Streams {
  readonly #api: Api;
  readonly #log: Log;
  /** Contract → when it was last asked for, the longest ago first. */
  readonly #lines = new Map<number, number>();
  readonly #ended = new AbortController();
  readonly #stopSweeping: () => void;
  #generation = -1;
  #tellClosed: (conids: readonly number[]) => void = () => undefined;

  constructor(deps: { readonly api: Api; readonly clock: Clock; readonly log: Log }) {
    this.#api = deps.api;
    this.#log = deps.log;
    this.#stopSweeping = deps.clock.every(SWEEP_EVERY_MS, () => background(this.#sweep(), deps.log, "closing idle market data"));
  }

  /** Open lines, as far as we opened them. */
  get size(): number {
    return this.#lines.size;
  }

  /** Names who is told of contracts whose lines are being closed: their subscriptions have to end as well. */
  onClosed(listener: (conids: readonly number[]) => void): void {
    this.#tellClosed = listener;
  }

  /** Counts an open line as used now, so that others are closed before it. */
  touch(conid: number): void {
    if (this.#lines.delete(conid)) this.#lines.set(conid, this.#api.clock.now());
  }

  /** Counts lines that subscriptions open in the present session, without closing others for them. */
  adopt(conids: readonly number[]): void {
    this.#begin();
    const now = this.#api.clock.now();
    for (const conid of conids) if (!this.#lines.has(conid)) this.#lines.set(conid, now);
  }

  /** Makes room for these contracts and counts them as open and used now. At most 90 at once. */
  async open(conids: readonly number[], options: CallOptions): Promise<void> {
    const now = this.#api.clock.now();
    this.#begin();
    for (const conid of conids) this.#lines.delete(conid);
    const surplus = [...this.#lines.keys()].slice(0, Math.max(0, this.#lines.size + conids.length - MAX_LINES));
    const closesAll = surplus.length > MAX_SINGLE_CLOSINGS;
    // It ends the lines of the contracts asked for, too: their subscriptions begin anew.
    const closed = closesAll ? [...this.#lines.keys(), ...conids] : [];
    if (closesAll) this.#lines.clear();
    // Counted before anything is waited for, so that who opens others meanwhile makes room for these.
    for (const conid of conids) this.#lines.set(conid, now);
    if (!closesAll) return await this.#close(surplus, options);
    this.#tellClosed(closed);
    await this.#api.read(UNSUBSCRIBE_ALL, options);
    return undefined;
  }

  close(): void {
    this.#stopSweeping();
    this.#ended.abort();
  }

  /** A new session has no lines of ours. */
  #begin(): void {
    const { generation } = this.#api.session;
    if (this.#generation !== generation) this.#lines.clear();
    this.#generation = generation;
  }

  async #sweep(): Promise<void> {
    const now = this.#api.clock.now();
    if (!this.#api.session.isReady || this.#generation !== this.#api.session.generation) return this.#lines.clear();
    const idle = [...this.#lines].filter(([, usedAt]) => now - usedAt >= IDLE_MS).map(([conid]) => conid);
    await this.#close(idle, { signal: this.#ended.signal, caller: "session" });
    return undefined;
  }

  async #close(conids: readonly number[], options: CallOptions): Promise<void> {
    if (conids.length === 0) return;
    for (const conid of conids) this.#lines.delete(conid);
    this.#tellClosed(conids);
    await Promise.all(conids.map((conid) => this.#closeOne(conid, options)));
  }

  async #closeOne(conid: number, options: CallOptions): Promise<void> {
    try {
      await this.#api.read(unsubscribeRequest(conid), options);
    } catch (error) {
      // IBKR says "unknown" for a line that it closed itself; a line that stays open is closed by IBKR after some minutes.
      if (!(error instanceof GatewayError)) throw error;
      this.#log.debug({ code: error.code }, "market data line was not closed");
    }
  }
}
