import { createHash } from "node:crypto";

import type { VirtualTime } from "./virtual-time.ts";

/** What happened in a run, line by line; two runs of a seed give the same digest. */
export class Trace {
  readonly #time: VirtualTime;
  readonly #lines: string[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  add(what: string): void {
    this.#lines.push(`${(this.#time.elapsed / 1000).toFixed(3).padStart(10)}  ${what}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  digest(): string {
    return createHash("sha256").update(this.#lines.join("\n")).digest("hex").slice(0, 16);
  }
}
