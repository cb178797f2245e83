import { describe, expect, test } from "vitest";

import { DRAFT, pipelineBench } from "../../test/support/pipeline-bench.ts";
import { ACCEPTED, QUESTION } from "../../test/support/scripted-broker.ts";
import { seedOwner } from "../../test/support/seed-keys.ts";
import { letIn } from "../../test/support/let-in.ts";
import { Decimal } from "../lib/decimal.ts";
import type { ConfirmRequest, PlaceOutcome } from "./trading.ts";

const USED = {
  code: "confirmation_expired",
  message: "This confirm_token was used or replaced.",
  whatToDo: 'Call get_order_status with client_order_id "c1" to see what became of the order.',
};
const mismatch = (message: string) => ({ code: "confirmation_mismatch", message });

const bench = pipelineBench();

const state = async () => (await bench.rows.storage.db.selectFrom("order_requests").select(["state", "result"]).executeTakeFirst()) ?? {};

/** Places an order that IBKR asks about; returns its token. */
async function askedToken(): Promise<string> {
  bench.script.answers.push(QUESTION);
  const asked = await bench.finish(bench.place());
  if (asked.kind !== "confirmation_required") throw new Error(`not asked: ${asked.kind}`);
  return asked.token;
}
const request = (token: string, change: Partial<ConfirmRequest> = {}): ConfirmRequest => ({
  token,
  draft: undefined,
  accountId: undefined,
  clientOrderId: undefined,
  ...change,
});
const confirm = async (token: string, change = {}, call = bench.call()): Promise<PlaceOutcome> =>
  await bench.finish(bench.trading.confirmOrder(request(token, change), call));
const decline = async (token: string, change = {}, call = bench.call()): Promise<PlaceOutcome> =>
  await bench.finish(bench.trading.declineOrder(request(token, change), call));

describe("a token", () => {
  test("sends its order again under another cOID and answers IBKR's question with yes", async () => {
    const token = await askedToken();
    bench.script.answers.push(QUESTION, ACCEPTED);
    expect(await confirm(token)).toMatchObject({ kind: "placed", orderId: "7", clientOrderId: "c1", draft: { symbol: "AAPL" } });
    const [first, no, second, yes] = bench.script.sent;
    expect([first, no, second, yes]).toEqual([
      expect.stringMatching(/^order DU1234567 gw\w+-1 BUY 10$/),
      "no DU1234567 r1",
      expect.stringMatching(/^order DU1234567 gw\w+-2 BUY 10$/),
      "yes DU1234567 r1",
    ]);
    expect(await state()).toMatchObject({ state: "placed" });
    await expect(confirm(token)).rejects.toMatchObject(USED);
    expect(bench.script.sent).toHaveLength(4);
  });

  test("may be sent together with what it stands for", async () => {
    const token = await askedToken();
    bench.script.answers.push(QUESTION, ACCEPTED);
    const same = { draft: DRAFT, accountId: DRAFT.accountId, clientOrderId: "c1" };
    expect(await confirm(token, same)).toMatchObject({ kind: "placed" });
  });

  test.each([[{ draft: { ...DRAFT, quantity: Decimal.fromInteger(11) } }], [{ accountId: "DU9" }], [{ clientOrderId: "c2" }]])(
    "is refused together with anything else: %j",
    async (change) => {
      const token = await askedToken();
      const words = mismatch("The arguments differ from the order that this confirm_token is for.");
      await expect(confirm(token, change)).rejects.toMatchObject(words);
      await expect(decline(token, change)).rejects.toMatchObject(words);
      expect(await state()).toMatchObject({ state: "asked" });
    },
  );

  test("is unknown when it is another's, of another connection, or nobody's", async () => {
    const token = await askedToken();
    const words = mismatch("This confirm_token is unknown, or was given to another caller.");
    await expect(confirm("none")).rejects.toMatchObject(words);
    await expect(confirm(token, {}, bench.call({ caller: { id: "key_other" } }))).rejects.toMatchObject(words);
    await expect(confirm(token, {}, bench.call({ caller: { connectionId: "con_other" } }))).rejects.toMatchObject(words);
    await expect(confirm(token, {}, bench.call({ caller: { userId: "usr_other" } }))).rejects.toMatchObject(words);
    await expect(decline(token, {}, bench.call({ caller: { id: "key_other" } }))).rejects.toMatchObject(words);
    expect(bench.script.sent).toHaveLength(2);
  });

  test("is refused where its caller may no longer use the account", async () => {
    const token = await askedToken();
    await expect(confirm(token, {}, bench.call({ caller: { allowedAccountIds: ["DU9"] } }))).rejects.toMatchObject(
      mismatch("This confirm_token is for an account that this key may no longer use."),
    );
    bench.script.answers.push(ACCEPTED);
    const allowed = bench.call({ caller: { allowedAccountIds: ["DU9", DRAFT.accountId] } });
    expect(await confirm(token, {}, allowed)).toMatchObject({ kind: "placed" });
  });

  test("expires after two minutes", async () => {
    const token = await askedToken();
    const row = await bench.rows.storage.db
      .selectFrom("order_confirmations")
      .select(["expires_at", "created_at", "token_hash"])
      .executeTakeFirstOrThrow();
    expect(row.expires_at - row.created_at).toBe(120_000);
    expect(row.token_hash).not.toBe(token);
    await bench.clock.advance(row.expires_at - bench.clock.now());
    const expired = {
      code: "confirmation_expired",
      message: "This confirm_token has expired.",
      whatToDo: 'Nothing was placed. Send the order again with client_order_id "c1" to be asked again.',
    };
    await expect(confirm(token)).rejects.toMatchObject(expired);
    await expect(decline(token)).rejects.toMatchObject(expired);
    expect(bench.script.sent).toHaveLength(2);
  });

  test("that expires before its order leaves is not used", async () => {
    const token = await askedToken();
    await bench.rows.storage.db
      .updateTable("order_confirmations")
      .set({ expires_at: bench.clock.now() + 1_000 })
      .execute();
    const { broker } = bench.script;
    const slow = {
      ...broker,
      submitOrder: async (...args: Parameters<typeof broker.submitOrder>) => {
        await bench.clock.wait(1_000);
        return await broker.submitOrder(...args);
      },
    };
    await expect(confirm(token, {}, { ...bench.call(), broker: slow })).rejects.toMatchObject({
      code: "confirmation_expired",
      message: "This confirm_token has expired.",
    });
    expect(bench.script.sent).toHaveLength(2);
  });

  test("is replaced by the next question about the order", async () => {
    const token = await askedToken();
    const next = await askedToken();
    expect(next).not.toBe(token);
    await expect(confirm(token)).rejects.toMatchObject(USED);
    bench.script.answers.push(QUESTION, ACCEPTED);
    expect(await confirm(next)).toMatchObject({ kind: "placed" });
  });

  test("is void once a repeat has placed the order", async () => {
    const token = await askedToken();
    bench.script.answers.push(ACCEPTED);
    expect(await bench.finish(bench.place())).toMatchObject({ kind: "placed" });
    await expect(confirm(token)).rejects.toMatchObject(USED);
  });

  test("places nothing on a connection that was switched off, and stays good", async () => {
    const token = await askedToken();
    const pause = async (at: number | null) => await bench.rows.storage.db.updateTable("connections").set({ paused_at: at }).execute();
    await pause(1);
    await expect(confirm(token)).rejects.toMatchObject({ code: "connection_paused" });
    await pause(null);
    bench.script.answers.push(ACCEPTED);
    expect(await confirm(token)).toMatchObject({ kind: "placed" });
  });

  test("whose order somebody else has settled meanwhile tells what is stored", async () => {
    const token = await askedToken();
    bench.script.answers.push(async () => {
      await bench.rows.storage.db.updateTable("order_attempts").set({ state: "placed" }).where("generation", "=", 2).execute();
      await bench.rows.storage.db.updateTable("order_requests").set({ state: "placed", result: '{"order_id":"8"}' }).execute();
      return { kind: "unknown", error: new Error("cut") };
    });
    expect(await confirm(token)).toMatchObject({ kind: "placed", orderId: "8", isRepeat: true });
  });

  test("used twice at once places one order", async () => {
    const token = await askedToken();
    bench.script.answers.push(QUESTION, ACCEPTED);
    const ends = await Promise.allSettled([confirm(token), confirm(token)]);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(ends.find(({ status }) => status === "rejected")).toMatchObject({ reason: USED });
    expect(bench.script.sent).toHaveLength(4);
  });
});

describe("a token that is declined", () => {
  test("closes the order, which is never sent", async () => {
    const token = await askedToken();
    expect(await decline(token)).toEqual({ kind: "declined", clientOrderId: "c1", draft: expect.objectContaining({ symbol: "AAPL" }) });
    expect(await state()).toEqual({ state: "declined", result: "{}" });
    await expect(confirm(token)).rejects.toMatchObject(USED);
    await expect(decline(token)).rejects.toMatchObject(USED);
    expect(bench.script.sent).toHaveLength(2);
  });

  test("declines nothing where the order was sent meanwhile, and stays unused", async () => {
    const token = await askedToken();
    await bench.rows.storage.db.updateTable("order_requests").set({ state: "placed" }).execute();
    await expect(decline(token)).rejects.toMatchObject(USED);
    expect(await state()).toMatchObject({ state: "placed" });
    expect(await bench.rows.storage.db.selectFrom("order_confirmations").select("consumed_at").execute()).toEqual([{ consumed_at: null }]);
  });

  test("belongs to its caller at the moment of declining", async () => {
    const token = await askedToken();
    const other = await seedOwner(bench.rows.storage);
    await letIn(bench.rows.storage, { ...bench.caller, ...other, id: "key_stranger" }, 1);
    await expect(decline(token, {}, bench.call({ caller: { ...other, id: "key_stranger" } }))).rejects.toMatchObject({
      code: "confirmation_mismatch",
    });
    expect(await state()).toMatchObject({ state: "asked" });
  });
});
