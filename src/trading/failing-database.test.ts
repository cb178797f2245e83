import { sql } from "kysely";
import { describe, expect, test } from "vitest";

import { DRAFT, pipelineBench } from "../../test/support/pipeline-bench.ts";
import { ACCEPTED } from "../../test/support/scripted-broker.ts";
import { Decimal } from "../lib/decimal.ts";

const ELEVEN = { draft: { ...DRAFT, quantity: Decimal.fromInteger(11) } };

const bench = pipelineBench();

const place = async (change = {}, call = bench.call()) => await bench.finish(bench.place(change, call));

/** Runs a test while a table can't be read or written. */
async function without(table: string, run: () => Promise<void>): Promise<void> {
  const { db } = bench.rows.storage;
  await sql`alter table ${sql.id(table)} rename to lost`.execute(db);
  try {
    await run();
  } finally {
    await sql`alter table lost rename to ${sql.id(table)}`.execute(db);
  }
}

describe("a database that fails", () => {
  test("before it is known what became of an id says that an earlier call may have placed it", async () => {
    await without("order_requests", async () => {
      await expect(place()).rejects.toMatchObject({
        code: "storage_unavailable",
        message: "The gateway's database could not be read. This call sent nothing.",
        details: { client_order_id: "c1" },
      });
    });
  });

  test("as an order arrives sends nothing", async () => {
    await without("order_requests", async () => {
      await expect(place({ clientOrderId: undefined })).rejects.toMatchObject({
        code: "storage_unavailable",
        message: "The gateway's database could not store the order. Nothing was sent.",
        details: { client_order_id: expect.stringMatching(/^auto-/) },
      });
    });
    expect(bench.script.sent).toEqual([]);
    expect(bench.lines).toContainEqual(expect.objectContaining({ msg: "could not store an order that arrived" }));
  });

  test("before the switches are read sends nothing", async () => {
    await without("connections", async () => {
      await expect(place()).rejects.toMatchObject({ code: "storage_unavailable", details: {} });
    });
    expect(await bench.requests()).toEqual([]);
  });

  test("while an order waits for its turn keeps it back", async () => {
    await without("order_attempts", async () => {
      await expect(place()).rejects.toMatchObject({ code: "storage_unavailable", details: { client_order_id: "c1" } });
    });
    expect(bench.script.sent).toEqual([]);
    expect(await bench.requests()).toMatchObject([{ state: "not_placed", result: '{"reason":"storage_unavailable"}' }]);
    expect(bench.lines).toContainEqual(expect.objectContaining({ msg: "the database failed before an order was sent" }));
    bench.script.answers.push(ACCEPTED);
    expect(await place()).toMatchObject({ kind: "placed" });
  });

  test("also when that is to be stored leaves the row, which the next call closes", async () => {
    const { db } = bench.rows.storage;
    await sql`create trigger unwritable before update on order_requests begin select raise(abort, 'no'); end`.execute(db);
    try {
      await without("order_attempts", async () => {
        await expect(place()).rejects.toMatchObject({ code: "storage_unavailable", details: { client_order_id: "c1" } });
      });
    } finally {
      await sql`drop trigger unwritable`.execute(db);
    }
    expect(await bench.requests()).toMatchObject([{ state: "received" }]);
    expect(bench.lines).toContainEqual(
      expect.objectContaining({
        msg: "could not close an order that was not sent",
        request: expect.stringMatching(/^ord_/),
        err: expect.anything(),
      }),
    );
    bench.script.answers.push(ACCEPTED);
    await place({ ...ELEVEN, clientOrderId: "c2" });
    const [row] = await db.selectFrom("order_requests").selectAll().where("client_order_id", "=", "c1").execute();
    expect(row).toMatchObject({ state: "not_placed", result: '{"reason":"process_ended"}' });
  });
});
