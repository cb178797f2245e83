/** Something that waits its turn in the name of a caller. */
export interface Waiting {
  readonly caller: string;
}

/** A queue that serves callers in rotation, and each caller's own requests in order. */
export class FairQueue<T extends Waiting> {
  readonly #byCaller = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(entry: T): void {
    const own = this.#byCaller.get(entry.caller);
    if (own === undefined) this.#byCaller.set(entry.caller, [entry]);
    else own.push(entry);
    this.#size += 1;
  }

  /** Takes the next entry that `isFree`; its caller goes to the end of the rotation. */
  take(isFree: (entry: T) => boolean): T | undefined {
    for (const [caller, own] of this.#byCaller) {
      const index = own.findIndex(isFree);
      const entry = own[index];
      if (entry === undefined) continue;
      own.splice(index, 1);
      this.#size -= 1;
      this.#byCaller.delete(caller);
      if (own.length > 0) this.#byCaller.set(caller, own);
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
    const own = this.#byCaller.get(entry.caller);
    const index = own?.indexOf(entry) ?? -1;
    if (own === undefined || index < 0) return false;
    own.splice(index, 1);
    if (own.length === 0) this.#byCaller.delete(entry.caller);
    this.#size -= 1;
    return true;
  }

  *entries(): IterableIterator<T> {
    for (const own of this.#byCaller.values()) yield* own;
  }
}
