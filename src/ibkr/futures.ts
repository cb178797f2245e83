import type { CallOptions } from "../broker/broker.ts";
import type { Future } from "../broker/research.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Api } from "./api.ts";
import { futuresReply, futuresRequest, toFutures } from "./endpoints/futures.ts";
import { readReply } from "./endpoints/reply.ts";
import { SharedReads } from "./shared-reads.ts";
import { addDays } from "./zoned-clock.ts";

/** The list of contracts changes once a month or so; far more symbols than there are in common use. */
const KEPT = { maxEntries: 200, ttlMs: 3_600_000 };
/** More than anybody compares at once. */
const MAX_SYMBOLS = 20;
const SYMBOL = /^[A-Z0-9.]{1,12}$/;

/** Which futures there are. */
export class Futures {
  readonly #api: Api;
  readonly #kept: BoundedCache<string, readonly Future[]>;
  readonly #reads = new SharedReads<void>();

  constructor(api: Api) {
    this.#api = api;
    this.#kept = new BoundedCache({ clock: api.clock, ...KEPT });
  }

  /** The futures on these root symbols, nearest first; a symbol without futures adds none. */
  async futures(symbols: readonly string[], options: CallOptions): Promise<readonly Future[]> {
    const wanted = [...new Set(symbols.map((symbol) => symbol.trim().toUpperCase()))];
    if (wanted.length > MAX_SYMBOLS || !wanted.every((symbol) => SYMBOL.test(symbol)))
      throw new GatewayError("invalid_arguments", `Futures need root symbols such as ES or CL, at most ${MAX_SYMBOLS}.`, {
        whatToDo: "Correct the symbols.",
      });
    const found = new Map<string, readonly Future[]>();
    const missing = wanted.filter((symbol) => {
      const kept = this.#kept.get(symbol);
      if (kept !== undefined) found.set(symbol, kept);
      return kept === undefined;
    });
    if (missing.length > 0) await this.#reads.run(missing.join(","), options, (shared) => this.#load(missing, shared));
    for (const symbol of missing) found.set(symbol, this.#kept.get(symbol) ?? []);
    // A contract may have ended since IBKR was asked; its last day is over everywhere a day later.
    const yesterday = addDays(new Date(this.#api.clock.now()).toISOString().slice(0, 10), -1);
    const futures = wanted.flatMap((symbol) => found.get(symbol) ?? []).filter(({ expiry }) => expiry >= yesterday);
    return futures.toSorted((a, b) => a.expiry.localeCompare(b.expiry));
  }

  async #load(symbols: readonly string[], options: CallOptions): Promise<void> {
    const reply = readReply(futuresReply, await this.#api.read(futuresRequest(symbols), options), "the futures");
    for (const symbol of symbols) this.#kept.set(symbol, toFutures(reply[symbol] ?? [], symbol));
  }
}
