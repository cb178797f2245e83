import type { CallOptions } from "../broker/broker.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { background, type Log } from "../lib/log.ts";
import type { Api } from "./api.ts";
import { UNSUBSCRIBE_ALL, unsubscribeRequest } from "./endpoints/market-data.ts";

/** IBKR gives a user 100 market data lines, shared with TWS; beyond them it stays silent. */
const MAX_LINES = 90;
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

  constructor(deps: { readonly api: Api; readonly clock: Clock; readonly log: Log }) {
    this.#api = deps.api;
    this.#log = deps.log;
    this.#stopSweeping = deps.clock.every(SWEEP_EVERY_MS, () => background(this.#sweep(), deps.log, "closing idle market data"));
  }

  /** Makes room for these contracts and counts them as open and used now. At most 90 at once. */
  async open(conids: readonly number[], options: CallOptions): Promise<void> {
    const now = this.#api.clock.now();
    if (this.#generation !== this.#api.session.generation) this.#lines.clear();
    this.#generation = this.#api.session.generation;
    for (const conid of conids) this.#lines.delete(conid);
    const surplus = [...this.#lines.keys()].slice(0, Math.max(0, this.#lines.size + conids.length - MAX_LINES));
    if (surplus.length > MAX_SINGLE_CLOSINGS) {
      this.#lines.clear();
      await this.#api.read(UNSUBSCRIBE_ALL, options);
    } else await this.#close(surplus, options);
    for (const conid of conids) this.#lines.set(conid, now);
  }

  close(): void {
    this.#stopSweeping();
    this.#ended.abort();
  }

  async #sweep(): Promise<void> {
    const now = this.#api.clock.now();
    if (!this.#api.session.isReady || this.#generation !== this.#api.session.generation) return this.#lines.clear();
    const idle = [...this.#lines].filter(([, usedAt]) => now - usedAt >= IDLE_MS).map(([conid]) => conid);
    await this.#close(idle, { signal: this.#ended.signal, caller: "session" });
    return undefined;
  }

  async #close(conids: readonly number[], options: CallOptions): Promise<void> {
    for (const conid of conids) this.#lines.delete(conid);
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
