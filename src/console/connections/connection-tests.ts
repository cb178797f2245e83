import type { LinkHealth } from "../../broker/health.ts";
import type { ConnectionRef, Connections } from "../../connections/connections.ts";
import { BoundedCache } from "../../lib/bounded-cache.ts";
import type { Clock } from "../../lib/clock.ts";
import { background, type Log } from "../../lib/log.ts";

/** A test of a connection, under way or over. Times in epoch ms. */
export interface ConnectionTest {
  readonly startedAt: number;
  /** Undefined while it runs. */
  readonly finishedAt: number | undefined;
  /** What it has found so far. */
  readonly found: LinkHealth | undefined;
}

/** The tests that people began here, so that every page of theirs shows how far each is. */
export interface ConnectionTests {
  /** Begins a test; while one of the same connection runs, there is no second. */
  begin(ref: ConnectionRef): void;
  /** The latest test; undefined when there was none lately. */
  latest(ref: ConnectionRef): ConnectionTest | undefined;
  /** Told of each step of this user's tests. Answers how to stop. */
  onChange(userId: string, listener: () => void): () => void;
}

/** Opening a session, its accounts and one quote take seconds; a login that never answers ends here. */
const TEST_LIMIT_MS = 60_000;
/** How long a result is shown: a person who looks later wants to know how it is then. */
const KEPT_MS = 10 * 60_000;
const MAX_KEPT = 500;

export interface ConnectionTestsDeps {
  readonly connections: Pick<Connections, "test">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the keeper of tests. They run on although the page that began them is left. */
export function createConnectionTests({ connections, clock, log }: ConnectionTestsDeps): ConnectionTests {
  const kept = new BoundedCache<string, ConnectionTest>({ clock, maxEntries: MAX_KEPT, ttlMs: KEPT_MS });
  const listeners = new Map<string, Set<() => void>>();
  const nameOf = ({ connectionId, userId }: ConnectionRef): string => JSON.stringify([userId, connectionId]);
  const note = (ref: ConnectionRef, test: ConnectionTest): void => {
    kept.set(nameOf(ref), test);
    for (const listener of listeners.get(ref.userId) ?? []) listener();
  };
  const run = async (ref: ConnectionRef, startedAt: number): Promise<void> => {
    const enough = new AbortController();
    const limit = new AbortController();
    const timer = clock.wait(TEST_LIMIT_MS, enough.signal).then(
      () => limit.abort(new Error("the test took too long")),
      () => undefined,
    );
    try {
      const onProgress = (found: LinkHealth): void => note(ref, { startedAt, finishedAt: undefined, found });
      const found = await connections.test(ref, { signal: limit.signal, onProgress });
      note(ref, { startedAt, finishedAt: clock.now(), found });
    } catch (error) {
      note(ref, { startedAt, finishedAt: clock.now(), found: kept.get(nameOf(ref))?.found });
      throw error;
    } finally {
      enough.abort();
      await timer;
    }
  };
  return {
    begin: (ref) => {
      const latest = kept.get(nameOf(ref));
      if (latest !== undefined && latest.finishedAt === undefined) return;
      const startedAt = clock.now();
      note(ref, { startedAt, finishedAt: undefined, found: undefined });
      background(run(ref, startedAt), log, "testing a connection");
    },
    latest: (ref) => kept.get(nameOf(ref)),
    onChange: (userId, listener) => {
      const own = listeners.get(userId) ?? new Set();
      listeners.set(userId, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(userId) === own) listeners.delete(userId);
      };
    },
  };
}
