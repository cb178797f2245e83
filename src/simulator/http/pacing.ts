import { BoundedCache } from "../../lib/bounded-cache.ts";
import type { Clock } from "../../lib/clock.ts";
import type { BrokerageState, Session } from "../session/session.ts";
import type { Route, RoutePacing } from "./route.ts";

/** Addresses in the penalty box at one time; more than a simulator has callers. */
const MAX_BOXED_ADDRESSES = 1_000;
/** IBKR's limit for all requests of an OAuth session, in one second. */
const DEFAULT_REQUESTS_PER_SECOND = 50;
const SECOND_MS = 1_000;

/** How strictly the simulator paces. */
export interface PacingOptions {
  /** Requests of one user in a second, over all endpoints; 50 by default. */
  readonly requestsPerSecond?: number;
  /** False switches the limits of single endpoints off. */
  readonly endpoints?: boolean;
  /** How long every request of an address that was refused once is refused; 0 (the default) switches the box off. */
  readonly penaltyBoxMs?: number;
}

/** A request as pacing sees it. */
export interface PacedRequest {
  readonly session: Session;
  readonly route: Route;
  readonly query: URLSearchParams;
  readonly now: number;
}

/** Must be called with the reply's status once the request is done. */
export type Release = (status: number) => void;

/** Enforces the pacing table. Each method answers false or undefined where the request is to be refused with 429. */
export class Pacing {
  readonly #perSecond: number;
  readonly #endpoints: boolean;
  readonly #box: BoundedCache<string, true> | undefined;
  readonly #logs = new Map<string, number[]>();
  readonly #running = new Map<string, number>();
  readonly #priming = new WeakMap<BrokerageState, Map<string, { primedAt: number | undefined }>>();

  constructor(clock: Clock, { requestsPerSecond, endpoints, penaltyBoxMs = 0 }: PacingOptions) {
    this.#perSecond = requestsPerSecond ?? DEFAULT_REQUESTS_PER_SECOND;
    this.#endpoints = endpoints ?? true;
    if (penaltyBoxMs > 0) this.#box = new BoundedCache({ clock, maxEntries: MAX_BOXED_ADDRESSES, ttlMs: penaltyBoxMs });
  }

  isBoxed(address: string): boolean {
    return this.#box?.get(address) === true;
  }

  /** Puts an address into the penalty box, where there is one. */
  punish(address: string): void {
    this.#box?.set(address, true);
  }

  /** Counts a request towards its user's limit over all endpoints. */
  admit(session: Session, now: number): boolean {
    return this.#log(session.user.userName, { requests: this.#perSecond, perMs: SECOND_MS }, now);
  }

  /** Counts a request towards its endpoint's limit. A priming call and its repeat count as one. */
  enter(request: PacedRequest): Release | undefined {
    const { session, route, now } = request;
    if (route.pacing === undefined || !this.#endpoints) return () => undefined;
    const key = `${session.user.userName} ${route.path}`;
    if ("concurrent" in route.pacing) return this.#start(key, route.pacing.concurrent);
    if (route.primes === true) return this.#enterPriming(request, key, route.pacing);
    return this.#log(key, route.pacing, now) ? () => undefined : undefined;
  }

  #enterPriming(
    { session, route, query, now }: PacedRequest,
    key: string,
    pacing: Extract<RoutePacing, { requests: number }>,
  ): Release | undefined {
    const known = this.#priming.get(session.brokerage) ?? new Map<string, { primedAt: number | undefined }>();
    this.#priming.set(session.brokerage, known);
    const state = known.get(route.path);
    const primedAt = state?.primedAt;
    if (state !== undefined && primedAt !== undefined && now - primedAt < pacing.perMs) {
      state.primedAt = undefined;
      return () => undefined;
    }
    if (state !== undefined && !this.#log(key, pacing, now)) return undefined;
    if (state === undefined) this.#log(key, pacing, now);
    const primes = state === undefined || query.get("force") === "true";
    return (status) => {
      if (primes && status === 200) known.set(route.path, { primedAt: now });
    };
  }

  #log(key: string, { requests, perMs }: { readonly requests: number; readonly perMs: number }, now: number): boolean {
    const recent = (this.#logs.get(key) ?? []).filter((at) => now - at < perMs);
    this.#logs.set(key, recent);
    if (recent.length >= requests) return false;
    recent.push(now);
    return true;
  }

  #start(key: string, concurrent: number): Release | undefined {
    const running = this.#running.get(key) ?? 0;
    if (running >= concurrent) return undefined;
    this.#running.set(key, running + 1);
    return () => {
      this.#running.set(key, (this.#running.get(key) ?? 1) - 1);
    };
  }
}
