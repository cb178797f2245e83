import type { Leave } from "../broker/broker.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { PERMISSION_MS } from "./permission.ts";
import { turnTooLate } from "./trading-errors.ts";

/** What the transaction that lets something leave has allowed, and when by the monotonic clock. */
export interface Allowed<T> {
  readonly value: T;
  readonly at: number;
}

/** One call's way to IBKR: waits, is allowed once, and then leaves within the permission's time or never. */
export class Departure<T> implements Leave {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #permit: () => Promise<Allowed<T>>;
  #deciding: Promise<Allowed<T>> | undefined;
  #allowed: Allowed<T> | undefined;
  #isGivenUp = false;

  /** `permit` commits the permission; what it throws keeps the order back. */
  constructor(clock: Pick<Clock, "monotonic">, permit: () => Promise<Allowed<T>>) {
    this.#clock = clock;
    this.#permit = permit;
  }

  async allow(): Promise<void> {
    if (this.#isGivenUp) throw turnTooLate();
    this.#deciding = this.#permit();
    this.#allowed = await this.#deciding;
  }

  check(): void {
    if (this.#allowed === undefined || this.#clock.monotonic() - this.#allowed.at > PERMISSION_MS) throw permissionTooOld();
  }

  /** Ends the wait; false when the permission was asked for already, so that the order may be leaving. */
  giveUp(): boolean {
    if (this.#deciding === undefined) this.#isGivenUp = true;
    return this.#isGivenUp;
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** What was allowed, once that is decided; undefined where nothing was. */
  async outcome(): Promise<T | undefined> {
    try {
      return (await this.#deciding)?.value;
    } catch {
      // The exchange has ended with the same error.
      return undefined;
    }
  }
}

function permissionTooOld(): GatewayError {
  return new GatewayError("timeout", "its permission was too old when it could have left.", { whatToDo: "", retryAfterSeconds: 5 });
}
