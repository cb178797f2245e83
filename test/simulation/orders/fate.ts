import { sqliteError } from "./file-lock.ts";
import type { Life } from "./life.ts";
import type { AdminAct, Strike, StrikePoint } from "./plan.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual-time.ts";

const ERRORS = {
  locked: { text: "database is locked", code: 5 },
  full: { text: "database or disk is full", code: 13 },
  io: { text: "disk I/O error", code: 10 },
} as const;

export interface FateDeps {
  readonly time: VirtualTime;
  readonly trace: Trace;
  /** Does what an owner does in the console, and resolves when it is committed. */
  act(what: AdminAct): Promise<void>;
}

/** Where a process is. */
export interface Place {
  readonly slot: number;
  readonly life: Life;
  readonly point: StrikePoint;
  readonly side: "before" | "after";
  readonly about: string;
  /** True inside a transaction, where an owner's act would wait for this very process. */
  readonly holdsLock?: boolean;
}

/** Lets the strikes of a plan come where they are due. */
export class Fate {
  readonly #deps: FateDeps;
  readonly #strikes: { readonly strike: Strike; left: number }[];
  isOver = false;
  /** How often a strike could have come, by point and side. */
  readonly points = new Map<string, number>();

  constructor(strikes: readonly Strike[], deps: FateDeps) {
    this.#deps = deps;
    this.#strikes = strikes.map((strike) => ({ strike, left: strike.nth }));
  }

  /** Called at each point. Resolves when the process may continue, never where it dies, and throws in place of a failed statement. */
  async at(place: Place): Promise<void> {
    const { life, slot, point, side } = place;
    if (!this.isOver) this.points.set(`${side} ${point}`, (this.points.get(`${side} ${point}`) ?? 0) + 1);
    const strikes = this.#strikes;
    for (const entry of this.isOver ? [] : strikes) {
      const { strike } = entry;
      if (strike.point !== point || strike.side !== side || (strike.process ?? slot) !== slot) continue;
      entry.left -= 1;
      if (entry.left === 0) await this.#strike(strike, place);
    }
    await life.pass();
  }

  async #strike({ what, ms }: Strike, { life, point, side, about, holdsLock }: Place): Promise<void> {
    const { time, trace } = this.#deps;
    trace.add(`${life.id} ${what}${what === "stop" ? ` for ${ms} ms` : ""} ${side} ${point} ${about}`);
    if (what === "kill") life.kill();
    else if (what === "stop") stopFor(life, ms, time);
    else if (what === "locked" || what === "full" || what === "io") throw sqliteError(ERRORS[what].text, ERRORS[what].code);
    else if (holdsLock === true || (point === "send" && side === "before")) void this.#deps.act(what);
    else await this.#deps.act(what);
  }
}

/** Stops a process for a while. */
export function stopFor(life: Life, ms: number, time: VirtualTime): void {
  life.stop();
  time.after(ms, () => life.goOn());
}
