import { beforeEach, describe, expect, test } from "vitest";

import type { Broker, CallOptions, Leave } from "../broker/broker.ts";
import type { DeclineOutcome, OrderTicket, SubmitOutcome } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";
import { exchange, type ExchangeOptions } from "./exchange.ts";
import type { OrderDraft } from "./order-draft.ts";
import type { ExchangeEnd } from "./order-ends.ts";

const draft: OrderDraft = {
  accountId: "DU1",
  conid: 265598,
  symbol: "AAPL",
  currency: "USD",
  side: "BUY",
  quantity: Decimal.fromInteger(5),
  orderType: "LMT",
  limitPrice: Decimal.fromInteger(150),
  stopPrice: undefined,
  timeInForce: "DAY",
  outsideRth: false,
};
const { symbol: _symbol, currency: _currency, ...order } = draft;
const call: CallOptions = { signal: new AbortController().signal, caller: "key_1" };
const leave: Leave = { allow: () => Promise.resolve(), check: () => undefined };
const ACCEPTED: SubmitOutcome = { kind: "accepted", orderId: "7", status: "Submitted" };
const DECLINED: DeclineOutcome = { kind: "declined" };
const FAR = { id: "o163", text: "price exceeds the constraint of 3%" };
const SIZE = { id: "o383", text: "size exceeds 500" };
const cut = new Error("cut");

const asks = (replyId: string, ...messages: readonly { readonly id: string; readonly text: string }[]): SubmitOutcome => ({
  kind: "question",
  question: { replyId, messages: messages.map(({ text }) => text), messageIds: messages.map(({ id }) => id) },
});

/** Everything that reached IBKR, in order, with the permission that let it leave. */
let sent: unknown[];
let leavesOfYes: Leave[];
let stored: unknown[];

beforeEach(() => {
  sent = [];
  leavesOfYes = [];
  stored = [];
});

/** IBKR as a script: one answer to each sending, in order; an error is thrown by the connection. */
async function run(
  script: { readonly answers: readonly (SubmitOutcome | Error)[]; readonly toNo?: DeclineOutcome | Error },
  options: Partial<ExchangeOptions> = {},
): Promise<ExchangeEnd> {
  const answers = [...script.answers];
  const next = async <T>(what: unknown, answer: T | Error | undefined): Promise<T> => {
    sent.push(what);
    if (answer === undefined) throw new Error(`the script has no answer to ${JSON.stringify(what)}`);
    if (answer instanceof Error) throw answer;
    return await Promise.resolve(answer);
  };
  const broker: Pick<Broker, "submitOrder" | "confirmQuestion" | "declineQuestion"> = {
    submitOrder: (ticket: OrderTicket, how) => next({ ticket, how }, answers.shift()),
    confirmQuestion: (accountId, replyId, how) => next({ yes: replyId, accountId, how }, answers.shift()),
    declineQuestion: (accountId, replyId, how) => next({ no: replyId, accountId, how }, script.toNo),
  };
  return await exchange({
    // An exchange uses these three calls only; a test that needs another one fails.
    broker: broker as Broker,
    call,
    draft,
    customerOrderId: "gw1-1",
    confirmed: [],
    leave,
    leaveYes: () => {
      const yes = { ...leave };
      leavesOfYes.push(yes);
      return yes;
    },
    onQuestion: (messages) => {
      stored.push(messages);
      return Promise.resolve();
    },
    ...options,
  });
}

const yes = (replyId: string) => ({ yes: replyId, accountId: "DU1", how: expect.anything() });
const no = (replyId: string) => ({ no: replyId, accountId: "DU1", how: call });
const theOrder = { ticket: { ...order, customerOrderId: "gw1-1" }, how: { ...call, leave } };

describe("an order that IBKR doesn't ask about", () => {
  test("is sent once, as drafted, under its cOID and its permission", async () => {
    expect(await run({ answers: [ACCEPTED] })).toBe(ACCEPTED);
    expect(sent).toEqual([theOrder]);
    expect(stored).toEqual([]);
  });

  test.each<SubmitOutcome>([
    { kind: "rejected", reason: "no permission" },
    { kind: "not_sent", error: cut },
    { kind: "unknown", error: cut, said: "hm", orderId: "9" },
  ])("ends as its sending does: $kind", async (outcome) => {
    expect(await run({ answers: [outcome] })).toEqual(outcome);
    expect(sent).toHaveLength(1);
  });

  test.each([
    ["an error", cut, cut],
    ["anything else", "a text", new Error("a text")],
  ])("is unknown when the broker throws %s, and is not sent again", async (_name, thrown, error) => {
    const broker = {
      submitOrder: () => {
        sent.push("order");
        throw thrown;
      },
    };
    expect(await run({ answers: [] }, { broker: broker as unknown as Broker })).toEqual({ kind: "unknown", error });
    expect(sent).toEqual(["order"]);
  });
});

describe("a question", () => {
  test("that was confirmed is answered with yes, under a permission of its own", async () => {
    expect(await run({ answers: [asks("r1", FAR), ACCEPTED] }, { confirmed: [FAR] })).toBe(ACCEPTED);
    expect(sent).toEqual([theOrder, yes("r1")]);
    expect(sent[1]).toMatchObject({ how: call });
    expect(leavesOfYes).toHaveLength(1);
    expect((sent[1] as { how: CallOptions }).how.leave).toBe(leavesOfYes[0]);
    expect(stored).toEqual([[FAR]]);
  });

  test.each([
    ["not confirmed", [FAR], []],
    ["confirmed in one of its messages only", [FAR, SIZE], [FAR]],
    ["without messages", [], [FAR]],
  ])("%s is declined, and no yes leaves", async (_name, messages, confirmed) => {
    expect(await run({ answers: [asks("r1", ...messages)], toNo: DECLINED }, { confirmed })).toEqual({ kind: "asked", messages });
    expect(sent).toEqual([theOrder, no("r1")]);
    expect(leavesOfYes).toEqual([]);
  });

  test("after a confirmed one is declined when it is new", async () => {
    const end = await run({ answers: [asks("r1", FAR), asks("r2", SIZE)], toNo: DECLINED }, { confirmed: [FAR] });
    expect(end).toEqual({ kind: "asked", messages: [SIZE] });
    expect(sent).toEqual([theOrder, yes("r1"), no("r2")]);
    expect(stored).toEqual([[FAR], [SIZE]]);
  });

  test("gets six replies at most: a seventh is declined though it was confirmed", async () => {
    const ids = ["r1", "r2", "r3", "r4", "r5", "r6"];
    const questions = [...ids, "r7"].map((id) => asks(id, FAR));
    expect(await run({ answers: questions, toNo: DECLINED }, { confirmed: [FAR] })).toEqual({ kind: "asked", messages: [FAR] });
    expect(sent).toEqual([theOrder, ...ids.map(yes), no("r7")]);
    sent = [];
    expect(await run({ answers: [...questions.slice(0, 6), ACCEPTED] }, { confirmed: [FAR] })).toBe(ACCEPTED);
  });

  test("whose yes never left is declined, and the order is withdrawn", async () => {
    const end = await run({ answers: [asks("r1", FAR), { kind: "not_sent", error: cut }], toNo: DECLINED }, { confirmed: [FAR] });
    expect(end).toEqual({ kind: "withdrawn", error: cut });
    expect(sent).toEqual([theOrder, yes("r1"), no("r1")]);
  });

  test.each<readonly [string, SubmitOutcome | Error, ExchangeEnd]>([
    ["has no clear answer", { kind: "unknown", error: cut }, { kind: "unknown", error: cut }],
    ["throws", cut, { kind: "unknown", error: cut }],
    ["is refused", { kind: "rejected", reason: "closed" }, { kind: "rejected", reason: "closed" }],
  ])("whose yes %s ends so, without a no", async (_name, answer, end) => {
    expect(await run({ answers: [asks("r1", FAR), answer] }, { confirmed: [FAR] })).toEqual(end);
    expect(sent).toEqual([theOrder, yes("r1")]);
  });

  test("that can't be stored is declined though it was confirmed, and the outcome is unknown", async () => {
    const full = new Error("disk full");
    const onQuestion = () => Promise.reject(full);
    const end = await run({ answers: [asks("r1", FAR)], toNo: DECLINED }, { confirmed: [FAR], onQuestion });
    expect(end).toEqual({ kind: "unknown", error: full });
    expect(sent).toEqual([theOrder, no("r1")]);
  });

  test.each<readonly [string, DeclineOutcome | Error, Error]>([
    ["is unclear", { kind: "unknown", error: cut }, cut],
    ["throws", cut, cut],
  ])("whose no %s leaves the outcome unknown", async (_name, toNo, error) => {
    expect(await run({ answers: [asks("r1", FAR)], toNo })).toEqual({ kind: "unknown", error });
    const neverLeft: SubmitOutcome = { kind: "not_sent", error: new Error("too late") };
    expect(await run({ answers: [asks("r1", FAR), neverLeft], toNo }, { confirmed: [FAR] })).toEqual({ kind: "unknown", error });
  });
});
