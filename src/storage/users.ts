import type { Selectable } from "kysely";

import type { UsersTable } from "./database.ts";
import type { Storage } from "./storage.ts";

export type UserRow = Selectable<UsersTable>;

/** Stores a new user. */
export async function insertUser(storage: Storage, user: UserRow): Promise<void> {
  await storage.db.insertInto("users").values(user).execute();
}

/** Finds a user by id. */
export async function findUser(storage: Storage, userId: string): Promise<UserRow | undefined> {
  return await storage.db.selectFrom("users").selectAll().where("id", "=", userId).executeTakeFirst();
}

/** Finds the demo's owner, when there is one. */
export async function findDemoUser(storage: Storage): Promise<UserRow | undefined> {
  return await storage.db.selectFrom("users").selectAll().where("is_demo", "=", 1).orderBy("created_at").limit(1).executeTakeFirst();
}

/** Lists users in the order they came, at most `limit`. For the operator's commands only. */
export async function listUsers(storage: Storage, limit: number): Promise<UserRow[]> {
  return await storage.db.selectFrom("users").selectAll().orderBy("created_at").orderBy("id").limit(limit).execute();
}

/** Deletes a user with everything that is theirs: connections, keys, orders and audit rows. Answers whether there was one. */
export async function deleteUser(storage: Storage, userId: string): Promise<boolean> {
  const result = await storage.db.deleteFrom("users").where("id", "=", userId).executeTakeFirst();
  return result.numDeletedRows > 0n;
}
