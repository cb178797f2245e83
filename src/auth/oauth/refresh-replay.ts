import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { sha256Hex } from "../../lib/secret.ts";
import { findRefreshAnswer, insertRefreshAnswer } from "../../storage/oauth-refresh-answers.ts";
import type { Storage } from "../../storage/storage.ts";
import { openUnder, sealUnder } from "./secret-ids.ts";

/**
 * Hosts refresh from several processes and addresses at once and lose answers. For this long a refresh token that was used gets the
 * same answer again, byte for byte: no second line of tokens comes of it, and a thief is still noticed at the next rotation.
 */
export const REPLAY_WINDOW_MS = 60_000;
/** How long a request waits for the answer that another process is just making. */
const WAIT_MS = 5_000;
const LOOK_EVERY_MS = 50;

/** Answers to refreshes, for their repetition. */
export interface RefreshReplay {
  /** Keeps an answer, readable only with the token that was presented. */
  keep(token: string, grantId: string, answer: string): Promise<void>;
  /** The answer that `token` got, or undefined when it may not be repeated. Waits a little when it was used only just now. */
  find(token: string, usedAt: number): Promise<string | undefined>;
}

/** Makes the store of answers. */
export function createRefreshReplay({ storage, clock, random }: { storage: Storage; clock: Clock; random: Random }): RefreshReplay {
  return {
    keep: (token, grantId, answer) =>
      insertRefreshAnswer(storage, {
        token_hash: sha256Hex(token),
        grant_id: grantId,
        sealed_answer: sealUnder(token, answer, random),
        expires_at: clock.now() + REPLAY_WINDOW_MS,
      }),
    find: async (token, usedAt) => {
      const hash = sha256Hex(token);
      const waitUntil = Math.min(clock.now(), usedAt) + WAIT_MS;
      for (;;) {
        const kept = await findRefreshAnswer(storage, hash, clock.now());
        if (kept !== undefined) return openUnder(token, kept.sealed_answer);
        if (clock.now() >= waitUntil) return undefined;
        await clock.wait(LOOK_EVERY_MS);
      }
    },
  };
}
