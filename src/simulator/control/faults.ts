import type { WireRequest } from "../http/read-request.ts";

/** Everything that can be made to go wrong. */
export const FAULT_KINDS = [
  "latency",
  "too_many_requests",
  "unauthorized",
  "no_bridge",
  "unavailable",
  "drop_before",
  "drop_after",
  "token_failure",
  "clock_skew",
  "init_failure",
  "stream_silence",
  "late",
  "doubled",
  "cut",
  "request_timeout",
  "server_error",
  "html",
  "half_json",
  "list",
  "coid_memory",
  "registers",
  "order_question",
  "order_refused",
  "advanced_reject",
  "goes_live",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** What is to go wrong, where, how often and how long. */
export interface FaultSpec {
  readonly kind: FaultKind;
  /** Pattern of paths without `/v1/api`; `*` stands for one part, `**` at the end for all that follows. Everything by default. */
  readonly path?: string | undefined;
  readonly method?: string | undefined;
  /** After this many uses it is over; without a count it goes on. */
  readonly count?: number | undefined;
  /** After this long it is over; without one it goes on until it is cleared. */
  readonly forMs?: number | undefined;
  /**
   * How long a `latency` or `late` holds a request up, when the copy of a `doubled` one comes, how far a lagging `list` is behind, how long `coid_memory` refuses a `cOID`
   * twice, when after its sending an unanswered order `goes_live`, or the shift of a `clock_skew`.
   */
  readonly ms?: number | undefined;
  /** Which failure it is, where there are several. */
  readonly reason?: string | undefined;
  /** True where the endpoint does its work first and this reply takes the place of its own. */
  readonly after?: boolean | undefined;
  /** HTTP status of `html` and `half_json`. */
  readonly status?: number | undefined;
  /** Bytes of the body that a `cut` reply still sends. */
  readonly bytes?: number | undefined;
}

/** A fault that is in force. */
export interface Fault extends FaultSpec {
  readonly id: number;
  readonly path: string;
  /** Epoch ms. */
  readonly since: number;
  readonly until: number | undefined;
  readonly used: number;
}

/** Where a fault is asked for: a request's method and its path without `/v1/api`. */
export type FaultPlace = Pick<WireRequest, "method" | "path">;

/** Faults in force at one time; a test needs a handful. */
const MAX_FAULTS = 100;
/** Where a WebSocket is, as far as faults are concerned. */
const STREAM: FaultPlace = { method: "GET", path: "/ws" };

/** The faults of a simulator: none unless its control endpoint, or a test, asks for some. */
export class Faults {
  readonly #faults = new Map<number, Fault>();
  #nextId = 1;

  /** Puts a fault in force from `now` on (epoch ms). Throws `RangeError` when there are too many. */
  add(spec: FaultSpec, now: number): Fault {
    if (this.list(now).length >= MAX_FAULTS) throw new RangeError(`at most ${MAX_FAULTS} faults at one time: clear some first`);
    const until = spec.forMs === undefined ? undefined : now + spec.forMs;
    const fault: Fault = { ...spec, path: spec.path ?? "/**", id: this.#nextId, since: now, until, used: 0 };
    this.#nextId += 1;
    this.#faults.set(fault.id, fault);
    return fault;
  }

  /** The faults that are in force, the oldest first. */
  list(now: number): readonly Fault[] {
    for (const [id, fault] of this.#faults) if (isOver(fault, now)) this.#faults.delete(id);
    return [...this.#faults.values()];
  }

  /** Answers whether there was such a fault. */
  remove(id: number): boolean {
    return this.#faults.delete(id);
  }

  clear(): void {
    this.#faults.clear();
  }

  /** Takes one use of the oldest fault of a kind that concerns this place; undefined when there is none. */
  take(kind: FaultKind, place: FaultPlace, now: number, fits: (fault: Fault) => boolean = always): Fault | undefined {
    const fault = this.find(kind, place, now, fits);
    if (fault === undefined) return undefined;
    const used = { ...fault, used: fault.used + 1 };
    this.#faults.set(fault.id, used);
    return used;
  }

  /** As `take`, without counting it as a use. */
  find(kind: FaultKind, place: FaultPlace, now: number, fits: (fault: Fault) => boolean = always): Fault | undefined {
    if (this.#faults.size === 0) return undefined;
    return this.list(now).find((fault) => fault.kind === kind && concerns(fault, place) && fits(fault));
  }

  /** True while WebSockets are to stay open and say nothing, heartbeats included. */
  silencesStreams(now: number): boolean {
    return this.find("stream_silence", STREAM, now) !== undefined;
  }
}

function always(): boolean {
  return true;
}

function isOver({ until, count, used }: Fault, now: number): boolean {
  return (until !== undefined && now >= until) || (count !== undefined && used >= count);
}

function concerns({ path, method }: Fault, place: FaultPlace): boolean {
  if (method !== undefined && method !== place.method) return false;
  const pattern = path.split("/");
  const parts = place.path.split("/");
  for (const [index, wanted] of pattern.entries()) {
    if (wanted === "**") return true;
    if (wanted !== "*" && wanted !== parts[index]) return false;
    if (parts[index] === undefined) return false;
  }
  return pattern.length === parts.length;
}
