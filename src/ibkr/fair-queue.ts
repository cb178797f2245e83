import { Rotation } from "./rotation.ts";

/** Something that waits its turn in the name of a caller. */
export interface Waiting {
  readonly caller: string;
}

/** A queue that serves callers in rotation, and each caller's own requests in order. */
export class FairQueue<T extends Waiting> {
  readonly #byCaller = new Map<string, T[]>();
  readonly #callers = new Rotation();

  get size(): number {
    return this.#callers.size;
  }

  /** How many wait for this caller. */
  of(caller: string): number {
    return this.#callers.of(caller);
  }

  /** How many will be served before the next request of this caller; before one that goes `first`, none of its own. */
  ahead(caller: string, first = false): number {
    return this.#callers.ahead(caller, first);
  }

  /** Adds behind the caller's other requests, or before them. Either way the callers keep their order. */
  add(entry: T, first = false): void {
    const own = this.#byCaller.get(entry.caller);
    if (own === undefined) this.#byCaller.set(entry.caller, [entry]);
    else if (first) own.unshift(entry);
    else own.push(entry);
    this.#callers.add(entry.caller);
  }

  /** Takes the next entry that `isFree`; its caller goes to the end of the rotation. */
  take(isFree: (entry: T) => boolean): T | undefined {
    for (const caller of this.#callers.callers()) {
      const entry = this.#byCaller.get(caller)?.find(isFree);
      if (entry === undefined) continue;
      this.#drop(entry);
      this.#callers.serve(caller);
      return entry;
    }
    return undefined;
  }

  /** Takes out every entry that `matches`. */
  takeAll(matches: (entry: T) => boolean): T[] {
    const taken = [...this.entries()].filter(matches);
    for (const entry of taken) this.remove(entry);
    return taken;
  }

  remove(entry: T): boolean {
    if (!this.#drop(entry)) return false;
    this.#callers.remove(entry.caller);
    return true;
  }

  *entries(): IterableIterator<T> {
    for (const own of this.#byCaller.values()) yield* own;
  }

  #drop(entry: T): boolean {
    const own = this.#byCaller.get(entry.caller);
    const index = own?.indexOf(entry) ?? -1;
    if (own === undefined || index < 0) return false;
    own.splice(index, 1);
    if (own.length === 0) this.#byCaller.delete(entry.caller);
    return true;
  }
}
