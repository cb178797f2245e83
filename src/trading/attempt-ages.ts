import type { Clock } from "../lib/clock.ts";
import type { OrderAttemptRow } from "../storage/order-attempts.ts";

/** Most attempts that are remembered; those that were seen first are forgotten first. */
const MAX_REMEMBERED = 10_000;

interface Moments {
  /** When this process allowed its first and its newest sending, and when it first saw it open. By the monotonic clock. */
  readonly firstSentAt?: number;
  readonly sentAt?: number;
  readonly seenAt: number;
  /** When this process learnt that it is placed. */
  readonly placedAt?: number;
}

type Sent = Pick<OrderAttemptRow, "id" | "connection_id" | "first_sent_broker_at" | "sent_broker_at" | "placed_broker_at">;

/**
 * Ages of attempts that no wall clock can change: of this process's by the monotonic clock, of others' by IBKR's own time at
 * the sending and now.
 */
export class AttemptAges {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #moments = new Map<string, Moments>();
  /** Connection → IBKR's time, and when it was heard by the monotonic clock. Bounded by the connections that trade. */
  readonly #brokers = new Map<string, { readonly time: number; readonly at: number }>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Takes in IBKR's time on a connection, where it is known. */
  heard(connectionId: string, time: number | undefined): void {
    if (time !== undefined) this.#brokers.set(connectionId, { time, at: this.#clock.monotonic() });
  }

  /** Notes that this process sends it now. `isFirst`: no other process ever did. */
  sent(id: string, isFirst: boolean): void {
    const now = this.#clock.monotonic();
    const known = this.#moments.get(id) ?? { seenAt: now };
    this.#remember(id, { ...known, sentAt: now, ...(isFirst && known.firstSentAt === undefined ? { firstSentAt: now } : {}) });
  }

  /** Notes that it is placed, as is known from now on. */
  placed(id: string): void {
    const now = this.#clock.monotonic();
    this.#remember(id, { ...(this.#moments.get(id) ?? { seenAt: now }), placedAt: now });
  }

  /** Notes that it is open. */
  seen(id: string): void {
    if (!this.#moments.has(id)) this.#remember(id, { seenAt: this.#clock.monotonic() });
  }

  /** Milliseconds since its newest sending, at the least. */
  atLeast(attempt: Sent): number {
    const now = this.#clock.monotonic();
    const moments = this.#moments.get(attempt.id);
    if (moments?.sentAt !== undefined) return now - moments.sentAt;
    const seen = moments === undefined ? 0 : now - moments.seenAt;
    return Math.max(seen, this.#since(attempt, attempt.sent_broker_at) ?? 0);
  }

  /** Milliseconds since its first sending, at the most; undefined where that can't be known. */
  atMostSinceFirst(attempt: Sent): number | undefined {
    const first = this.#moments.get(attempt.id)?.firstSentAt;
    return first === undefined ? this.#since(attempt, attempt.first_sent_broker_at) : this.#clock.monotonic() - first;
  }

  /** Milliseconds since it was known to be placed, at the least. */
  sincePlaced(attempt: Sent): number {
    const age = this.#since(attempt, attempt.placed_broker_at);
    const placedAt = this.#moments.get(attempt.id)?.placedAt;
    if (placedAt === undefined && age === undefined) this.placed(attempt.id);
    return placedAt === undefined ? (age ?? 0) : this.#clock.monotonic() - placedAt;
  }

  #since({ connection_id: connectionId }: Sent, then: number | null): number | undefined {
    const broker = this.#brokers.get(connectionId);
    return then === null || broker === undefined ? undefined : broker.time + this.#clock.monotonic() - broker.at - then;
  }

  #remember(id: string, moments: Moments): void {
    this.#moments.delete(id);
    this.#moments.set(id, moments);
    if (this.#moments.size <= MAX_REMEMBERED) return;
    const oldest = this.#moments.keys().next();
    if (oldest.done !== true) this.#moments.delete(oldest.value);
  }
}
