import type { Clock } from "../../lib/clock.ts";
import { background, type Log } from "../../lib/log.ts";
import { type AuditEntry, listAuditSequences, listAuditSince } from "../../storage/audit-search.ts";
import type { Storage } from "../../storage/storage.ts";

export interface ActivityWatchDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
}

/** What of a person's calls is watched, and who is told. */
export interface Watcher {
  /** Sequence of the newest call that is known already. */
  readonly after: number;
  /** Told of calls that are new, oldest first. */
  readonly onNew: (entries: readonly AuditEntry[]) => Promise<void>;
  /** Told of calls that had begun and have ended now. */
  readonly onEnded: (entries: readonly AuditEntry[]) => Promise<void>;
}

/** Watches the record of calls, whichever process writes it. */
export interface ActivityWatch {
  /**
   * Takes a place for a page of this user; undefined when they or all together have too many. What is answered begins to watch, and
   * answers in turn how to stop, which gives the place back.
   */
  reserve(userId: string): ((watcher: Watcher) => () => void) | undefined;
}

/** How often the record is read: rows are written within a fraction of a second. */
const POLL_MS = 1_000;
/** Pages that one person keeps open, and those of all: each costs a query of a fraction of a millisecond a second. */
const MAX_OF_USER = 4;
const MAX_OF_ALL = 64;
/** On PostgreSQL a lower number may become visible after a higher one; it is looked for among the latest so many. */
const OVERLAP = 64;
/** Most rows read at once; what is beyond comes a second later. */
const MAX_ROWS = 200;
/** Calls under way whose end is waited for. */
const MAX_UNDER_WAY = 50;

/** Makes the watch. */
export function createActivityWatch({ storage, clock, log }: ActivityWatchDeps): ActivityWatch {
  const taken = new Map<string, number>();
  let all = 0;
  const giveBack = (userId: string): void => {
    all -= 1;
    const left = (taken.get(userId) ?? 1) - 1;
    if (left === 0) taken.delete(userId);
    else taken.set(userId, left);
  };
  const begin = (poll: () => Promise<void>): (() => void) => {
    let isBusy = false;
    const look = async (): Promise<void> => {
      if (isBusy) return;
      isBusy = true;
      try {
        await poll();
      } finally {
        isBusy = false;
      }
    };
    const lookSoon = (): void => background(look(), log, "watching the record of calls");
    lookSoon();
    return clock.every(POLL_MS, lookSoon);
  };
  return {
    reserve: (userId) => {
      const ofUser = taken.get(userId) ?? 0;
      if (all >= MAX_OF_ALL || ofUser >= MAX_OF_USER) return undefined;
      all += 1;
      taken.set(userId, ofUser + 1);
      return (watcher) => {
        const stopLooking = begin(createPoll(storage, userId, watcher));
        let isOver = false;
        return () => {
          if (isOver) return;
          isOver = true;
          stopLooking();
          giveBack(userId);
        };
      };
    },
  };
}

/** One reader's place in the record: what it has told, and which calls it saw begin. */
function createPoll(storage: Storage, userId: string, { after, onNew, onEnded }: Watcher): () => Promise<void> {
  const seen = new Set<number>();
  const underWay = new Set<number>();
  let last = after;
  let isFirst = true;
  const noteUnderWay = ({ sequence, outcome }: AuditEntry): void => {
    if (outcome === "started" && underWay.size < MAX_UNDER_WAY) underWay.add(sequence);
  };
  return async () => {
    const rows = await listAuditSince(storage, { userId, after: last - OVERLAP, limit: OVERLAP + MAX_ROWS });
    // What the page shows already is known; a row that turns up among them later is not.
    const known = isFirst ? rows.filter(({ sequence }) => sequence <= after) : [];
    isFirst = false;
    for (const entry of known) {
      seen.add(entry.sequence);
      noteUnderWay(entry);
    }
    const fresh = rows.filter(({ sequence }) => !seen.has(sequence));
    const ended = (await listAuditSequences(storage, userId, [...underWay])).filter(({ outcome }) => outcome !== "started");
    for (const { sequence } of ended) underWay.delete(sequence);
    for (const entry of fresh) {
      seen.add(entry.sequence);
      noteUnderWay(entry);
    }
    last = rows.at(-1)?.sequence ?? last;
    for (const sequence of seen) if (sequence <= last - OVERLAP) seen.delete(sequence);
    if (fresh.length > 0) await onNew(fresh);
    if (ended.length > 0) await onEnded(ended);
  };
}
