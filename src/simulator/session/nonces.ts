/** Most nonces remembered: fifteen minutes of a session at its pacing limit of 50 requests a second. */
const MAX_NONCES = 45_000;

/** Why a request's timestamp and nonce are not accepted. */
export type NonceRefusal = "timestamp" | "replay";

/**
 * Remembers which nonces were used, for as long as their timestamps would be accepted.
 * Its memory is bounded: when it is full, the oldest second is forgotten and requests as old as it are refused.
 */
export class Nonces {
  readonly #bySecond = new Map<number, Set<string>>();
  readonly #windowSeconds: number;
  #count = 0;
  #floor = 0;

  constructor(windowSeconds: number) {
    this.#windowSeconds = windowSeconds;
  }

  /** Says why a pair is not acceptable at `now` (epoch ms), or undefined when it is. Remembers nothing. */
  refusal(timestamp: string, nonce: string, now: number): NonceRefusal | undefined {
    const second = Number(timestamp);
    const age = Math.abs(Math.floor(now / 1000) - second);
    if (!/^\d{1,10}$/.test(timestamp) || age > this.#windowSeconds || second <= this.#floor || nonce === "") return "timestamp";
    return this.#bySecond.get(second)?.has(nonce) === true ? "replay" : undefined;
  }

  /** Remembers a pair that was used by a request with a good signature. */
  use(timestamp: string, nonce: string, now: number): void {
    this.#forgetBefore(Math.floor(now / 1000) - this.#windowSeconds);
    const second = Number(timestamp);
    const nonces = this.#bySecond.get(second) ?? new Set();
    this.#bySecond.set(second, nonces.add(nonce));
    this.#count += 1;
    while (this.#count > MAX_NONCES) {
      this.#floor = Math.min(...this.#bySecond.keys());
      this.#forgetBefore(this.#floor + 1);
    }
  }

  #forgetBefore(second: number): void {
    for (const [key, nonces] of this.#bySecond) {
      if (key >= second) continue;
      this.#bySecond.delete(key);
      this.#count -= nonces.size;
    }
  }
}
