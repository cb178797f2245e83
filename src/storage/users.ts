import type { Insertable, Kysely, Selectable } from "kysely";

import type { Database, UsersTable } from "./database.ts";
import type { Storage } from "./storage.ts";

export type UserRow = Selectable<UsersTable>;

/** Stores a new user. */
export async function insertUser({ db }: { readonly db: Kysely<Database> }, user: Insertable<UsersTable>): Promise<void> {
  await db.insertInto("users").values(user).execute();
}

/** Finds a user by id. */
export async function findUser(storage: Storage, userId: string): Promise<UserRow | undefined> {
  return await storage.db.selectFrom("users").selectAll().where("id", "=", userId).executeTakeFirst();
}

/** Finds the demo's owner, while nobody has claimed it. */
export async function findDemoUser({ db }: { readonly db: Kysely<Database> }): Promise<UserRow | undefined> {
  return await db.selectFrom("users").selectAll().where("is_demo", "=", 1).orderBy("created_at").limit(1).executeTakeFirst();
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

/** Tells whether any person has an account here; the demo's unclaimed owner is none. */
export async function hasPeople(storage: Storage): Promise<boolean> {
  return (await storage.db.selectFrom("users").select("id").where("is_demo", "=", 0).limit(1).executeTakeFirst()) !== undefined;
}

/** Makes the demo's owner a person with this name, who runs the gateway. */
export async function claimDemoUser(db: Kysely<Database>, userId: string, displayName: string): Promise<void> {
  await db.updateTable("users").set({ is_demo: 0, is_operator: 1, display_name: displayName }).where("id", "=", userId).execute();
}

/** Notes that a user signed in. */
export async function noteSignIn(db: Kysely<Database>, userId: string, at: number): Promise<void> {
  await db.updateTable("users").set({ last_signed_in_at: at }).where("id", "=", userId).execute();
}

/** A user as whoever runs the gateway sees them. */
export interface UserOverview extends UserRow {
  readonly connections: number;
}

/** Lists people in the order they came with how many connections each has, after those before `offset`. For operators only. */
export async function listUserOverviews(
  { db }: Storage,
  page: { readonly offset: number; readonly limit: number },
): Promise<UserOverview[]> {
  return await db
    .selectFrom("users")
    .selectAll("users")
    .select((expression) =>
      expression
        .selectFrom("connections")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .whereRef("connections.user_id", "=", "users.id")
        .as("connections"),
    )
    .$narrowType<{ connections: number }>()
    .orderBy("created_at")
    .orderBy("id")
    .offset(page.offset)
    .limit(page.limit)
    .execute();
}

/** Counts the people with an account here; the demo's unclaimed owner is none. */
export async function countPeople({ db }: Storage): Promise<number> {
  const { count } = await db
    .selectFrom("users")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("is_demo", "=", 0)
    .executeTakeFirstOrThrow();
  return count;
}
