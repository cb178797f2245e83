import { sql } from "kysely";

import type { Storage } from "./storage.ts";

/** One use of what is throttled: it pushes `free_at` on by `costMs`, at most to `now + allowanceMs`. */
export interface ThrottleUse {
  readonly keyHash: string;
  readonly now: number;
  readonly costMs: number;
  readonly allowanceMs: number;
}

/** Counts a use in one statement, so that parallel tries on several nodes are all counted. Answers 0, or the milliseconds to wait when it is too much. */
export async function countThrottledUse(storage: Storage, use: ThrottleUse): Promise<number> {
  const { keyHash, now, costMs, allowanceMs } = use;
  const from = sql<number>`case when sign_in_throttles.free_at > ${now} then sign_in_throttles.free_at else ${sql`cast(${now} as bigint)`} end`;
  const counted = await storage.db
    .insertInto("sign_in_throttles")
    .values({ key_hash: keyHash, free_at: now + costMs })
    .onConflict((conflict) =>
      conflict
        .column("key_hash")
        .doUpdateSet({ free_at: sql<number>`${from} + ${sql`cast(${costMs} as bigint)`}` })
        .where(sql<number>`${from} + ${sql`cast(${costMs} as bigint)`}`, "<=", now + allowanceMs),
    )
    .returning("free_at")
    .executeTakeFirst();
  if (counted !== undefined) return 0;
  const row = await storage.db.selectFrom("sign_in_throttles").select("free_at").where("key_hash", "=", keyHash).executeTakeFirst();
  return row === undefined ? 0 : Math.max(1, row.free_at + costMs - allowanceMs - now);
}

/** Takes one use back. */
export async function forgiveThrottledUse(storage: Storage, keyHash: string, costMs: number): Promise<void> {
  await storage.db
    .updateTable("sign_in_throttles")
    .set(({ eb }) => ({ free_at: eb("free_at", "-", costMs) }))
    .where("key_hash", "=", keyHash)
    .execute();
}

/** Holds nothing against a key any more. */
export async function clearThrottle(storage: Storage, keyHash: string): Promise<void> {
  await storage.db.deleteFrom("sign_in_throttles").where("key_hash", "=", keyHash).execute();
}

/** Remembers a mark until a time. */
export async function keepThrottleMark(storage: Storage, keyHash: string, until: number): Promise<void> {
  await storage.db
    .insertInto("sign_in_throttles")
    .values({ key_hash: keyHash, free_at: until })
    .onConflict((conflict) => conflict.column("key_hash").doUpdateSet({ free_at: until }))
    .execute();
}

/** Tells whether a mark is remembered at `now`. */
export async function hasThrottleMark(storage: Storage, keyHash: string, now: number): Promise<boolean> {
  const mark = storage.db.selectFrom("sign_in_throttles").select("key_hash").where("key_hash", "=", keyHash).where("free_at", ">", now);
  return (await mark.executeTakeFirst()) !== undefined;
}

/** Deletes the rows that hold nothing any more. */
export async function deleteFreeThrottles(storage: Storage, now: number): Promise<void> {
  await storage.db.deleteFrom("sign_in_throttles").where("free_at", "<=", now).execute();
}
