import type { Clock } from "../../src/lib/clock.ts";

interface Alarm {
  at: number;
  readonly ring: () => void;
}

/** A clock that only moves when a test turns it. */
export interface FakeClock extends Clock {
  /** Moves time forward, ringing what falls due in order; lets promises settle after each. */
  advance(ms: number): Promise<void>;
  /** Sets time forward without ringing: waits and intervals keep what is left of them. */
  jump(ms: number): void;
  /** Moves from alarm to alarm, each time once everything that runs has come to rest, until the work has ended. */
  until<T>(work: Promise<T>): Promise<T>;
  /** How many waits and intervals are under way. */
  readonly pending: number;
}

/** Turns of the event loop in which everything comes to rest: promises need one, streams that hand on to streams another. */
const TURNS = 2;
/** Longest work: whatever takes more is stuck, while what repeats goes on ringing. */
const LONGEST_WORK_MS = 3_600_000;

/** A new clock that stands at `start` (epoch ms; default a Monday in New York's trading hours). */
export function fakeClock(start = Date.UTC(2026, 10, 23, 15, 0, 0)): FakeClock {
  let now = start;
  const alarms = new Set<Alarm>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

  const wait = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const alarm: Alarm = { at: now + ms, ring: resolve };
    alarms.add(alarm);
    const abort = () => {
      alarms.delete(alarm);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", abort, { once: true });
    return promise.finally(() => signal?.removeEventListener("abort", abort));
  };

  const every = (ms: number, action: () => void): (() => void) => {
    let current: Alarm;
    const set = (at: number) => {
      current = {
        at,
        ring: () => {
          set(current.at + ms);
          action();
        },
      };
      alarms.add(current);
    };
    set(now + ms);
    return () => void alarms.delete(current);
  };

  const advance = async (ms: number): Promise<void> => {
    const end = now + ms;
    await settle();
    for (;;) {
      const next = first(alarms);
      if (next === undefined || next.at > end) break;
      alarms.delete(next);
      now = Math.max(now, next.at);
      next.ring();
      await settle();
    }
    now = end;
    await settle();
  };

  const until = async <T>(work: Promise<T>): Promise<T> => {
    const end = now + LONGEST_WORK_MS;
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    for (;;) {
      for (let turns = 0; turns < TURNS; turns += 1) await settle();
      if (isOver) return await work;
      const next = first(alarms)?.at ?? Infinity;
      if (next > end) throw new Error(`not done within ${LONGEST_WORK_MS} ms, ${alarms.size} alarms are left`);
      await advance(next - now);
    }
  };

  const jump = (ms: number): void => {
    now += ms;
    for (const alarm of alarms) alarm.at += ms;
  };

  return {
    now: () => now,
    monotonic: () => now,
    wait,
    every,
    advance,
    until,
    jump,
    get pending() {
      return alarms.size;
    },
  };
}

/** The alarm that rings next, of several the one that was set first. */
function first(alarms: Iterable<Alarm>): Alarm | undefined {
  let next: Alarm | undefined;
  for (const alarm of alarms) if (next === undefined || alarm.at < next.at) next = alarm;
  return next;
}
