import type { Clock } from "../lib/clock.ts";
import { background, type Log } from "../lib/log.ts";

/** When and from where a key or a grant was used. */
export interface Use {
  readonly id: string;
  readonly at: number;
  readonly address: string | undefined;
  readonly client: string | undefined;
}

/** Gathers last uses and writes them once a second, away from the requests. */
export interface UseNotes {
  note(use: Use): void;
  /** Writes what is still to be noted, and stops. */
  close(): Promise<void>;
}

export interface UseNotesDeps {
  /** Writes many uses in one statement. */
  readonly write: (uses: readonly Use[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** What the uses are of, for the log: "API keys". */
  readonly of: string;
}

const FLUSH_EVERY_MS = 1_000;
/** Most uses waiting to be noted; beyond it they are noted at a later request. */
const MAX_PENDING = 1_000;

/** Makes the notes. Of one key's uses within a second only the first is kept. */
export function createUseNotes({ write, clock, log, of }: UseNotesDeps): UseNotes {
  let pending = new Map<string, Use>();
  const flush = async (): Promise<void> => {
    const uses = [...pending.values()];
    pending = new Map();
    await write(uses);
  };
  const stop = clock.every(FLUSH_EVERY_MS, () => {
    if (pending.size > 0) background(flush(), log, `noting the last use of ${of}`);
  });
  return {
    note: (use) => {
      if (pending.has(use.id) || pending.size >= MAX_PENDING) return;
      pending.set(use.id, use);
    },
    close: async () => {
      stop();
      await flush();
    },
  };
}
