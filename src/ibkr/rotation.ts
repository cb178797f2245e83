/** Callers that wait for something, in the order in which they are served: who was served goes to the end. */
export class Rotation {
  /** Caller → how many of its requests wait; the next to be served first. */
  readonly #waiting = new Map<string, number>();
  #size = 0;

  /** How many wait for all callers together. */
  get size(): number {
    return this.#size;
  }

  /** How many wait for this caller. */
  of(caller: string): number {
    return this.#waiting.get(caller) ?? 0;
  }

  callers(): IterableIterator<string> {
    return this.#waiting.keys();
  }

  /** True when no other caller is to be served before this one. */
  isNext(caller: string): boolean {
    const first = this.#waiting.keys().next();
    return first.done === true || first.value === caller;
  }

  /** How many are served before the next request of this caller (or one that it puts `first`): its own, and of each other as many as there are rounds until then. */
  ahead(caller: string, first = false): number {
    const rounds = first ? 1 : this.of(caller) + 1;
    let ahead = rounds - 1;
    for (const [other, count] of this.#waiting) if (other !== caller) ahead += Math.min(count, rounds);
    return ahead;
  }

  add(caller: string): void {
    this.#waiting.set(caller, this.of(caller) + 1);
    this.#size += 1;
  }

  /** One of the caller's requests was served: it goes to the end. */
  serve(caller: string): void {
    const left = this.of(caller) - 1;
    this.#waiting.delete(caller);
    if (left > 0) this.#waiting.set(caller, left);
    this.#size -= 1;
  }

  /** One of the caller's requests waits no more without having been served. */
  remove(caller: string): void {
    const left = this.of(caller) - 1;
    if (left > 0) this.#waiting.set(caller, left);
    else this.#waiting.delete(caller);
    this.#size -= 1;
  }
}
