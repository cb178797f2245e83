import type { DatabaseSync } from "node:sqlite";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS price_move (conid INTEGER NOT NULL, at INTEGER NOT NULL, factor REAL NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS trading_halt (conid INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER) STRICT;
`;

/** Prices moved for one instrument; more than a test needs, few enough to be walked through for each quote. */
const MAX_MOVES = 1000;

/** A jump of a price: from `at` (epoch ms) on every price is `factor` times what it would have been. */
export interface PriceMove {
  readonly at: number;
  readonly factor: number;
}

/** A pause in which nothing trades; without an end it lasts. Epoch ms, both ends exclusive: the last trade may be at `since`. */
export interface TradingHalt {
  readonly since: number;
  readonly until: number | undefined;
}

/** What somebody has done to the market from outside, by instrument. Nothing, for a market left alone. */
export interface Steering {
  moves(conid: number): readonly PriceMove[];
  halts(conid: number): readonly TradingHalt[];
}

/** The steering of a market that is left alone. */
export const UNSTEERED: Steering = { moves: () => [], halts: () => [] };

/** A steering that is kept in a store, so that prices stay where they were moved to when the simulator starts anew. */
export class StoredSteering implements Steering {
  readonly #store: DatabaseSync;
  readonly #moves = new Map<number, PriceMove[]>();
  readonly #halts = new Map<number, TradingHalt[]>();

  constructor(store: DatabaseSync) {
    this.#store = store;
    store.exec(SCHEMA);
    for (const row of store.prepare("SELECT * FROM price_move ORDER BY at").all())
      append(this.#moves, Number(row["conid"]), { at: Number(row["at"]), factor: Number(row["factor"]) });
    for (const row of store.prepare("SELECT * FROM trading_halt ORDER BY since").all()) {
      const until = row["until"] === null ? undefined : Number(row["until"]);
      append(this.#halts, Number(row["conid"]), { since: Number(row["since"]), until });
    }
  }

  moves(conid: number): readonly PriceMove[] {
    return this.#moves.get(conid) ?? [];
  }

  halts(conid: number): readonly TradingHalt[] {
    return this.#halts.get(conid) ?? [];
  }

  /** The instruments that are halted now. */
  halted(): readonly number[] {
    return [...this.#halts].filter(([, halts]) => halts.at(-1)?.until === undefined).map(([conid]) => conid);
  }

  /** Makes every price from `now` on `factor` times as high. Throws `RangeError` when it was moved too often. */
  move(conid: number, factor: number, now: number): void {
    if (this.moves(conid).length >= MAX_MOVES) throw new RangeError(`a price can be moved ${MAX_MOVES} times at most`);
    this.#store.prepare("INSERT INTO price_move VALUES (?, ?, ?)").run(conid, now, factor);
    append(this.#moves, conid, { at: now, factor });
  }

  /** Stops trading in an instrument. Answers false when it is stopped already. */
  halt(conid: number, now: number): boolean {
    if (this.halted().includes(conid)) return false;
    this.#store.prepare("INSERT INTO trading_halt VALUES (?, ?, NULL)").run(conid, now);
    append(this.#halts, conid, { since: now, until: undefined });
    return true;
  }

  /** Lets an instrument trade again. Answers false when it was not stopped. */
  resume(conid: number, now: number): boolean {
    if (!this.halted().includes(conid)) return false;
    this.#store.prepare("UPDATE trading_halt SET until = ? WHERE conid = ? AND until IS NULL").run(now, conid);
    const halts = this.#halts.get(conid) ?? [];
    const last = halts.pop();
    if (last !== undefined) halts.push({ ...last, until: now });
    return true;
  }
}

function append<T>(lists: Map<number, T[]>, conid: number, value: T): void {
  const list = lists.get(conid) ?? [];
  list.push(value);
  lists.set(conid, list);
}
