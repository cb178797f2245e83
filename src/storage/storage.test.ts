import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { seedOwner } from "../../test/support/seed-keys.ts";
import { ENGINES, startEngine, type TestDatabase, type TestEngine } from "../../test/support/storages.ts";
import type { Storage } from "./storage.ts";
import { deleteUser, findUser, insertUser } from "./users.ts";

const user = (id: string) => ({ id, display_name: id, is_demo: 0, created_at: 1 });

describe.each(ENGINES)("storage on %s", (engine) => {
  let engineUnderTest: TestEngine;
  let database: TestDatabase;
  let storage: Storage;
  beforeAll(async () => {
    engineUnderTest = await startEngine(engine);
  });
  afterAll(() => engineUnderTest.stop());
  beforeEach(async () => {
    database = await engineUnderTest.createDatabase();
    storage = await database.open();
  });

  it("keeps a whole transaction or nothing of it", async () => {
    const failing = storage.transaction(async (inside) => {
      await inside.insertInto("users").values(user("a")).execute();
      await inside.insertInto("users").values(user("a")).execute();
    });
    await expect(failing).rejects.toThrow();
    await storage.transaction(async (inside) => {
      await inside.insertInto("users").values(user("b")).execute();
    });
    expect([await findUser(storage, "a"), (await findUser(storage, "b"))?.id]).toEqual([undefined, "b"]);
  });

  it("lets no other query slip into a transaction", async () => {
    const { promise: halfway, resolve: reachHalfway } = Promise.withResolvers<void>();
    const { promise: goOn, resolve: letGoOn } = Promise.withResolvers<void>();
    const rolledBack = storage.transaction(async (inside) => {
      await inside.insertInto("users").values(user("inside")).execute();
      reachHalfway();
      await goOn;
      throw new Error("changed its mind");
    });
    await halfway;
    const other = insertUser(storage, user("outside"));
    letGoOn();
    await expect(rolledBack).rejects.toThrow("changed its mind");
    await other;
    expect([await findUser(storage, "inside"), (await findUser(storage, "outside"))?.id]).toEqual([undefined, "outside"]);
  });

  it("runs a hundred transactions at once without losing an increment", async () => {
    await insertUser(storage, { ...user("counter"), created_at: 0 });
    const increment = () =>
      storage.transaction(async (inside) => {
        const row = await inside
          .selectFrom("users")
          .select("created_at")
          .where("id", "=", "counter")
          .$if(engine === "postgres", (query) => query.forUpdate())
          .executeTakeFirstOrThrow();
        await inside
          .updateTable("users")
          .set({ created_at: row.created_at + 1 })
          .where("id", "=", "counter")
          .execute();
      });
    await Promise.all(Array.from({ length: 100 }, increment));
    expect((await findUser(storage, "counter"))?.created_at).toBe(100);
  });

  it("refuses a query past its own transaction at once, where it would wait for itself", async () => {
    const mistaken = storage.transaction(async () => await findUser(storage, "a"));
    await expect(mistaken).rejects.toThrow("must use the transaction that was handed in");
    const nested = storage.transaction(async () => await storage.transaction(async () => await Promise.resolve()));
    await expect(nested).rejects.toThrow("must use the transaction that was handed in");
    await insertUser(storage, user("a"));
    expect((await findUser(storage, "a"))?.id).toBe("a");
  });

  it("lets what a transaction left running query again once it has ended", async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const followUps: Promise<unknown>[] = [];
    await storage.transaction(async () => {
      followUps.push(ended.then(() => findUser(storage, "nobody")));
      await Promise.resolve();
    });
    end();
    await expect(Promise.all(followUps)).resolves.toEqual([undefined]);
  });

  it("looks up only what is committed, and sees it at once", async () => {
    const lookup = storage.lookup(storage.db.selectFrom("users").select("id").where("id", "=", "").compile());
    const { promise: halfway, resolve: reachHalfway } = Promise.withResolvers<void>();
    const { promise: goOn, resolve: letGoOn } = Promise.withResolvers<void>();
    const committed = storage.transaction(async (inside) => {
      await inside.insertInto("users").values(user("new")).execute();
      reachHalfway();
      await goOn;
    });
    await halfway;
    expect(await lookup(["new"])).toBeUndefined();
    letGoOn();
    await committed;
    expect(await lookup(["new"])).toEqual({ id: "new" });
  });

  const unfit: readonly (readonly [string, unknown])[] = [
    ["a Date", new Date(0)],
    ["a fraction", 1.5],
    ["NaN", Number.NaN],
    ["an unsafe integer", 2 ** 53],
    ["a boolean", true],
    ["a bigint", 1n],
    ["an object", { a: 1 }],
    ["a buffer", Buffer.from("x")],
    ["undefined", undefined],
  ];
  it.each(unfit)("refuses %s as a value, whatever its place", async (_name, value) => {
    const first = sql`select id from users where id = ${value}`;
    await expect(first.execute(storage.db)).rejects.toThrow("parameter 1 is");
    const second = sql`select id from users where id = ${"x"} and display_name = ${value}`;
    await expect(second.execute(storage.db)).rejects.toThrow("parameter 2 is");
    const lookup = storage.lookup(storage.db.selectFrom("users").select("id").where("id", "=", "").compile());
    await expect(Reflect.apply(lookup, undefined, [[value]])).rejects.toThrow("columns take text, whole numbers and null");
  });

  it("deletes everything of a user with the user, and nothing of others", async () => {
    const [mine, theirs] = [await seedOwner(storage), await seedOwner(storage)];
    for (const owner of [mine, theirs]) await fillEveryTable(storage, owner);
    expect([await deleteUser(storage, mine.userId), await deleteUser(storage, mine.userId)]).toEqual([true, false]);
    const tables = ["users", "connections", "api_keys", "order_requests", "order_attempts", "order_confirmations", "audit_log"] as const;
    const left = await Promise.all(
      tables.map(async (table) => {
        const column = table === "users" ? "id" : "user_id";
        return (await storage.db.selectFrom(table).select(storage.db.dynamic.ref<string>(column)).execute()).map(
          (row) => Object.values(row)[0],
        );
      }),
    );
    expect(left).toEqual(tables.map(() => [theirs.userId]));
  });

  it("refuses a row that hangs on another user's connection", async () => {
    const [mine, theirs] = [await seedOwner(storage), await seedOwner(storage)];
    await expect(fillEveryTable(storage, { userId: mine.userId, connectionId: theirs.connectionId })).rejects.toThrow(/foreign key/i);
  });

  it("refuses a second order with the same client order id, and a second attempt with the same customer order id", async () => {
    const owner = await seedOwner(storage);
    await fillEveryTable(storage, owner, "first");
    await expect(fillEveryTable(storage, owner, "second")).rejects.toThrow(/unique/i);
  });
});

describe("SQLite's one connection", () => {
  it("refuses those who waited half a minute for a transaction that hangs", async () => {
    const engine = await startEngine("sqlite");
    const clock = fakeClock();
    const storage = await (await engine.createDatabase()).open(clock);
    const { promise: goOn, resolve: letGoOn } = Promise.withResolvers<void>();
    const hanging = storage.transaction(() => goOn);
    const waiting = expect(findUser(storage, "a")).rejects.toThrow("busy with one transaction for over 30 seconds");
    await clock.advance(32_000);
    await waiting;
    letGoOn();
    await hanging;
    expect(await findUser(storage, "a")).toBeUndefined();
    await engine.stop();
  });
});

/** One row in each table for this owner; ids get `suffix`, while the client order id and the customer order id stay the same. */
async function fillEveryTable(storage: Storage, owner: { userId: string; connectionId: string }, suffix = ""): Promise<void> {
  const id = (kind: string) => `${kind}-${owner.userId}${suffix}`;
  const owned = { user_id: owner.userId, connection_id: owner.connectionId, created_at: 1 };
  await storage.transaction(async (inside) => {
    await inside
      .insertInto("api_keys")
      .values({
        ...owned,
        id: id("key"),
        key_hash: id("hash"),
        prefix: "ibkr_abcdef",
        label: "a key",
        scope: "write",
        allowed_account_ids: null,
        limits: null,
        pinned_account_id: null,
        expires_at: null,
        last_used_at: null,
        last_used_address: null,
        last_used_client: null,
        revoked_at: null,
      })
      .execute();
    const { created_at: _at, ...ownedAttempt } = owned;
    const order = { ...owned, account_id: "U1", state: "new", updated_at: 1 };
    await inside
      .insertInto("order_requests")
      .values({
        ...order,
        id: id("request"),
        caller_id: id("key"),
        name_space: id("key"),
        is_named: 1,
        owner_process: "p1",
        client_order_id: "same",
        arguments_hash: "x",
        ticket: "{}",
        reason: null,
        result: null,
      })
      .execute();
    await inside
      .insertInto("order_attempts")
      .values({
        ...ownedAttempt,
        account_id: "U1",
        state: "unknown",
        updated_at: 1,
        id: id("attempt"),
        request_id: id("request"),
        customer_order_id: "same",
        round: 1,
        generation: 1,
        doubt: 1,
        looks: 0,
        owner_process: "p1",
        first_sent_at: 1,
        sent_at: 1,
      })
      .execute();
    await inside
      .insertInto("order_confirmations")
      .values({
        token_hash: id("token"),
        request_id: id("request"),
        user_id: owner.userId,
        caller_id: id("key"),
        questions: "[]",
        round: 1,
        expires_at: 2,
        consumed_at: null,
        created_at: 1,
      })
      .execute();
    await inside
      .insertInto("audit_log")
      .values({
        request_id: id("call"),
        at: 1,
        user_id: owner.userId,
        caller_id: id("key"),
        source: "apikey",
        scope: "write",
        connection_id: owner.connectionId,
        tool: "get_quote",
        arguments: "{}",
        outcome: "ok",
        code: null,
        duration_us: 1,
        upstream_calls: 0,
        client: null,
        address: null,
        previous_hash: null,
        hash: null,
      })
      .execute();
  });
}
