import type { Frame } from "./frame.ts";

/** Remembers what a client was told, and answers what is new since: the way in which the socket saves its frames. */
export class Changes {
  readonly #told = new Map<string, ReadonlyMap<string, string>>();

  /** The fields of a row that differ from what was told before, and counts them as told. The whole row when it is new. */
  of(key: string, row: Frame): Frame {
    const before = this.#told.get(key);
    const fields = Object.entries(row).map(([name, value]) => [name, JSON.stringify(value) ?? ""] as const);
    this.#told.set(key, new Map(fields));
    const changed = fields.filter(([name, text]) => before?.get(name) !== text);
    return Object.fromEntries(changed.map(([name]) => [name, row[name]]));
  }

  isKnown(key: string): boolean {
    return this.#told.has(key);
  }

  /** Forgets the rows that are not among these keys, so that memory stays bounded by what is shown. */
  keep(keys: Iterable<string>): void {
    const kept = new Set(keys);
    for (const key of this.#told.keys()) if (!kept.has(key)) this.#told.delete(key);
  }
}

/** True for a row without any field. */
export function isEmpty(row: Frame): boolean {
  return Object.keys(row).length === 0;
}
