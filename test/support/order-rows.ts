/** Rows of orders in a SQLite database of their own, without a gateway around them: for tests of one step of the pipeline. */
import { sql } from "kysely";

import type { OrderAttemptRow } from "../../src/storage/order-attempts.ts";
import type { OrderRequestRow } from "../../src/storage/order-requests.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { type SeededOwner, seedOwner } from "./seed-keys.ts";
import { startEngine } from "./storages.ts";
import { storeOrder } from "./stored-order.ts";

/** An order's rows. */
export interface StoredRows {
  readonly request: OrderRequestRow;
  readonly attempt: OrderAttemptRow;
}

/** Changes to the rows of an order that was sent and has no end yet. */
export interface RowChanges {
  readonly request?: Partial<OrderRequestRow>;
  readonly attempt?: Partial<OrderAttemptRow>;
}

export interface OrderRows {
  readonly storage: Storage;
  readonly owner: SeededOwner;
  /** Stores an order with its attempt and open sending, all `sending` except for the changes. */
  store(changes?: RowChanges): Promise<StoredRows>;
  read(requestId: string): Promise<StoredRows>;
  /** How the sendings of an attempt ended, and when. */
  sends(attemptId: string): Promise<readonly { readonly ended_by: string | null; readonly ended_at: number | null }[]>;
  /** Removes the orders of earlier tests. */
  clear(): Promise<void>;
  /** Makes each write of an order's end fail until it is called with true. */
  setWorking(works: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Opens a new database with one user and connection. */
export async function openOrderRows(): Promise<OrderRows> {
  const engine = await startEngine("sqlite");
  const storage = await (await engine.createDatabase()).open();
  const { db } = storage;
  const owner = await seedOwner(storage);
  const read = async (id: string): Promise<StoredRows> => ({
    request: await db.selectFrom("order_requests").selectAll().where("id", "=", id).executeTakeFirstOrThrow(),
    attempt: await db.selectFrom("order_attempts").selectAll().where("request_id", "=", id).executeTakeFirstOrThrow(),
  });
  return {
    storage,
    owner,
    read,
    store: async ({ request = {}, attempt = {} } = {}) => {
      const names = { connectionId: owner.connectionId, accountId: request.account_id ?? "DU1234567" };
      const id = await storeOrder(storage, { ...names, state: "sending", sentAt: 1_000 });
      const rows = await read(id);
      await db
        .updateTable("order_requests")
        .set({ state: "sending", ...request })
        .where("id", "=", id)
        .execute();
      await db
        .updateTable("order_attempts")
        .set({ state: "sending", ...attempt })
        .where("id", "=", rows.attempt.id)
        .execute();
      return await read(id);
    },
    sends: async (attemptId) =>
      await db.selectFrom("order_sends").select(["ended_by", "ended_at"]).where("attempt_id", "=", attemptId).execute(),
    clear: async () => {
      for (const table of ["order_confirmations", "order_sends", "order_attempts", "order_requests"] as const)
        await db.deleteFrom(table).execute();
    },
    setWorking: async (works) => {
      const [from, to] = works ? ["lost", "order_sends"] : ["order_sends", "lost"];
      await sql`alter table ${sql.id(from)} rename to ${sql.id(to)}`.execute(db);
    },
    stop: () => engine.stop(),
  };
}
