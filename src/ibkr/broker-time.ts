import type { Clock } from "../lib/clock.ts";

/** IBKR's time by the `Date` header of its last answer, carried on by the monotonic clock, so that no wall clock decides. */
export class BrokerTime {
  readonly #clock: Clock;
  #heard: { readonly time: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes in an answer's headers (RFC 9110, 6.6.1). */
  hear(headers: Headers): void {
    const time = Date.parse(headers.get("date") ?? "");
    if (!Number.isNaN(time)) this.#heard = { time, at: this.#clock.monotonic() };
  }

  /** Epoch ms, a second too early at the most; undefined until IBKR has sent a date. */
  now(): number | undefined {
    return this.#heard === undefined ? undefined : Math.floor(this.#heard.time + this.#clock.monotonic() - this.#heard.at);
  }
}
