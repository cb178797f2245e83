import type { Life } from "./life.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** As long as SQLite waits for the write lock of another process. */
const BUSY_MS = 5_000;

/** An error as `node:sqlite` throws it. */
export function sqliteError(errstr: string, errcode: number): Error {
  return Object.assign(new Error(errstr), { code: "ERR_SQLITE_ERROR", errcode, errstr });
}

/**
 * The kernel's lock on a database file. In one thread SQLite itself can't wait for another process, so that a process waits here
 * before it asks SQLite for the lock; the lock of a process that dies is free.
 */
export class FileLock {
  readonly #time: VirtualTime;
  #owner: Life | undefined;
  readonly #waiting: { readonly life: Life; readonly take: () => void }[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  isHeldBy(life: Life): boolean {
    return this.#owner === life;
  }

  /** Takes the lock. Throws SQLite's "database is locked" after five seconds. */
  async take(life: Life): Promise<void> {
    if (this.#owner === undefined) {
      this.#owner = life;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { life, take: resolve };
    this.#waiting.push(entry);
    const forget = this.#time.after(BUSY_MS, () => {
      const index = this.#waiting.indexOf(entry);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      reject(sqliteError("database is locked", 5));
    });
    await promise;
    forget();
  }

  /** Gives it to who waits longest; does nothing when this process doesn't hold it. */
  give(life: Life): void {
    if (this.#owner !== life) return;
    const next = this.#waiting.find((entry) => !entry.life.isDead);
    this.#waiting.splice(0, next === undefined ? this.#waiting.length : this.#waiting.indexOf(next) + 1);
    this.#owner = next?.life;
    next?.take();
  }
}
