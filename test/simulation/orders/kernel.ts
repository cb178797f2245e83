import type { Processes } from "../../../src/storage/processes.ts";
import type { Life } from "./life.ts";

/** What the kernel knows of processes: which of them holds which id, until it dies or loses it. */
export class Kernel {
  readonly #holders = new Map<string, Life>();
  readonly #held = new Map<Life, string>();
  readonly #lost = new Set<Life>();
  #count = 0;

  /** The proof of life of one process. */
  processesOf(life: Life): Processes {
    return {
      hold: async () => {
        await life.pass();
        return this.#held.get(life) ?? this.#take(life);
      },
      isAlive: async (id) => {
        await life.pass();
        return this.#holders.get(id)?.isDead === false;
      },
      close: async () => await life.pass(),
    };
  }

  /** True for a process that others took for dead once: what it was sending then is unknown to them. */
  hasLost(life: Life): boolean {
    return this.#lost.has(life);
  }

  /** Takes a process's id away, as when its socket is removed. */
  loses(life: Life): void {
    this.#lost.add(life);
    this.#holders.delete(this.#held.get(life) ?? "");
    this.#held.delete(life);
  }

  #take(life: Life): string {
    this.#count += 1;
    const id = `prc_${this.#count.toString(16).padStart(16, "0")}`;
    this.#holders.set(id, life);
    this.#held.set(life, id);
    return id;
  }
}
