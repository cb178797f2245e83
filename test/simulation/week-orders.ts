import { expect } from "vitest";

import type { Caller } from "../../src/connections/caller.ts";
import { Decimal } from "../../src/lib/decimal.ts";
import { GatewayError } from "../../src/lib/errors.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { OrderDraft } from "../../src/trading/order-draft.ts";
import type { PlaceOutcome, Trading, TradingCall } from "../../src/trading/trading.ts";
import type { WeekWorld } from "./week-world.ts";

export type Dice = (sides: number) => number;

const AAPL = 265598;

/** One order that a caller wants, and what it was told of it. */
interface Wish {
  readonly clientOrderId: string;
  readonly draft: OrderDraft;
  /** What it was told as final: a repeat must be told the same. */
  end: string | undefined;
  token: string | undefined;
}

/** What a caller may be told beside a final answer: the order's fate is open, or it is to be sent again. */
const OPEN_ENDS: ReadonlySet<string> = new Set([
  "outcome_unknown",
  "outcome_unresolved",
  "confirmation_expired",
  "not_sent",
  "possible_duplicate",
]);
/** Final, like an order that was placed or declined. */
const FINAL_ERRORS: ReadonlySet<string> = new Set(["broker_rejected", "confirmation_limit"]);

/** The orders of one caller, who repeats what it has no answer to, and sometimes what it has. */
export class WeekOrders {
  readonly #own: WeekWorld;
  readonly #trading: Trading;
  readonly #wishes: Wish[] = [];
  readonly ends = new Map<string, number>();

  constructor(own: WeekWorld, trading: Trading) {
    this.#own = own;
    this.#trading = trading;
  }

  get count(): number {
    return this.#wishes.length;
  }

  /** One act: a new order, once or twice at the same time, a repeat, an answer to a question, or a cancellation. */
  async act(call: TradingCall, dice: Dice): Promise<void> {
    const open = this.#wishes.filter(({ end }) => end === undefined);
    const last = this.#wishes.at(-1 - dice(3));
    if (open.length > 0 && dice(3) > 0) return await this.#goOn(open[dice(open.length)] ?? this.#wish(dice), call, dice);
    if (last !== undefined && dice(8) === 0) return await this.#place(last, call);
    if (last?.end?.startsWith("placed") === true && dice(6) === 0) return await this.#cancel(last, call);
    const wish = this.#wish(dice);
    if (dice(4) > 0) return await this.#place(wish, call);
    const both = await Promise.allSettled([this.#place(wish, call), this.#place(wish, call)]);
    for (const each of both) if (each.status === "rejected") throw each.reason as Error;
    return undefined;
  }

  /** Asks anew for everything that has no final answer yet, and answers how many have none still. */
  async finish(call: TradingCall): Promise<number> {
    await this.#resolve(call.caller.userId);
    for (const wish of this.#wishes.filter(({ end }) => end === undefined))
      await this.#place(wish, call).catch((error: unknown) => {
        if (!(error instanceof GatewayError)) throw error;
      });
    return this.#wishes.filter(({ end }) => end === undefined).length;
  }

  /** Decides as an owner who looks at IBKR and tells the truth, as soon as they may. */
  async #resolve(userId: string): Promise<void> {
    for (const { requestId, customerOrderId, state, absentInMs } of await this.#trading.unresolvedOrders(userId)) {
      if (state !== "unresolved") continue;
      const there = standing(this.#own).get(customerOrderId);
      const words = "simulator";
      if (there !== undefined && there.state !== "inactive")
        await this.#trading.decideOrder({ userId, requestId, verdict: { kind: "there", orderId: there.id }, words });
      else if (absentInMs === 0) await this.#trading.decideOrder({ userId, requestId, verdict: { kind: "not_there" }, words });
    }
  }

  async #goOn(wish: Wish, call: TradingCall, dice: Dice): Promise<void> {
    const { token } = wish;
    if (token === undefined || dice(6) === 0) return await this.#place(wish, call);
    wish.token = undefined;
    const request = { token, draft: undefined, accountId: undefined, clientOrderId: wish.clientOrderId };
    const answer = dice(6) === 0 ? this.#trading.declineOrder(request, call) : this.#trading.confirmOrder(request, call);
    return await this.#hear(wish, answer);
  }

  #place(wish: Wish, call: TradingCall): Promise<void> {
    const { draft, clientOrderId } = wish;
    return this.#hear(wish, this.#trading.placeOrder({ draft, clientOrderId, reason: undefined }, call));
  }

  async #cancel({ draft, clientOrderId }: Wish, call: TradingCall): Promise<void> {
    try {
      await this.#trading.cancelOrder({ accountId: draft.accountId, orderId: undefined, clientOrderId }, call);
    } catch (error) {
      if (!(error instanceof GatewayError && ["order_not_working", "outcome_unknown"].includes(error.code))) throw error;
    }
  }

  async #hear(wish: Wish, answer: Promise<PlaceOutcome>): Promise<void> {
    try {
      const outcome = await answer;
      if (outcome.kind === "confirmation_required") wish.token = outcome.token;
      else if (outcome.kind === "placed") this.#end(wish, `placed ${outcome.orderId}`);
      else if (outcome.kind === "declined") this.#end(wish, "declined");
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      if (FINAL_ERRORS.has(error.code)) return this.#end(wish, error.code);
      if (!OPEN_ENDS.has(error.code)) throw error;
    }
    return undefined;
  }

  #end(wish: Wish, end: string): void {
    expect(end, wish.clientOrderId).toBe(wish.end ?? end);
    const kind = end.split(" ")[0] ?? "";
    if (wish.end === undefined) this.ends.set(kind, (this.ends.get(kind) ?? 0) + 1);
    wish.end = end;
  }

  #wish(dice: Dice): Wish {
    const { world, name } = this.#own;
    const number = this.#wishes.length + 1;
    const draft: OrderDraft = {
      accountId: world.accountIds[dice(world.accountIds.length)] ?? "",
      conid: AAPL,
      symbol: "AAPL",
      currency: "USD",
      side: number % 2 === 0 ? "SELL" : "BUY",
      quantity: Decimal.fromInteger(1 + (number % 7)),
      orderType: "MKT",
      limitPrice: undefined,
      stopPrice: undefined,
      timeInForce: "DAY",
      outsideRth: false,
    };
    const wish = { clientOrderId: `${name}-${number}`, draft, end: undefined, token: undefined };
    this.#wishes.push(wish);
    return wish;
  }
}

/** A caller with all rights. */
export function callerOf(name: string, ref: { readonly userId: string; readonly connectionId: string }): Caller {
  return {
    id: `key_${name}`,
    source: "apikey",
    nameSpace: `key_${name}`,
    ...ref,
    scope: "write",
    allowedAccountIds: undefined,
    pinnedAccountId: undefined,
    toolsets: [],
  };
}

/** What is wrong with a user's orders, rows compared with what stands at the simulator. Empty when every order is known and stands at most once. */
export async function faultsOfOrders(storage: Storage, own: WeekWorld, userId: string): Promise<readonly string[]> {
  const requests = await storage.db.selectFrom("order_requests").selectAll().where("user_id", "=", userId).execute();
  const attempts = await storage.db.selectFrom("order_attempts").selectAll().where("user_id", "=", userId).execute();
  const there = standing(own);
  const strangers = [...there.keys()].filter((id) => attempts.every((attempt) => attempt.customer_order_id !== id));
  const faults = strangers.map((id) => `the order ${id} is at the simulator, and no attempt is it`);
  if (there.size < sentOrders(own).length) faults.push("an order stands twice at the simulator");
  for (const { id, client_order_id: name, state } of requests) {
    const mine = attempts.filter((attempt) => attempt.request_id === id);
    const orders = mine.flatMap((attempt) => there.get(attempt.customer_order_id) ?? []).filter((order) => order.state !== "inactive");
    const accepted = mine.filter((attempt) => attempt.state === "placed");
    const history = mine.map((attempt) => attempt.state).join(", ");
    if (["received", "sending", "unknown", "unresolved"].includes(state)) faults.push(`${name} is still ${state} (${history})`);
    else if (orders.length > 1) faults.push(`${name} stands ${orders.length} times (${state}: ${history})`);
    else if (state !== "placed" && orders.length > 0) faults.push(`${name} is ${state}, but stands (${history})`);
    else if (state === "placed" && accepted.length !== 1) faults.push(`${name} was accepted ${accepted.length} times (${history})`);
    else if (state === "placed" && !mine.some((attempt) => there.get(attempt.customer_order_id)?.id === accepted[0]?.broker_order_id))
      faults.push(`${name} is accepted as ${accepted[0]?.broker_order_id ?? "nothing"}, which is not there`);
  }
  return faults;
}

/** How often each `cOID` was allowed to leave. It leaves again only where it never left, or its owner found it not there. */
export async function allowedSendings(storage: Storage, userId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await storage.db
    .selectFrom("order_sends")
    .innerJoin("order_attempts", "order_attempts.id", "order_sends.attempt_id")
    .select("order_attempts.customer_order_id as id")
    .where("order_sends.user_id", "=", userId)
    .execute();
  const counts = new Map<string, number>();
  for (const { id } of rows) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** The gateway's orders in the simulator's own table. */
function sentOrders(own: WeekWorld) {
  return own.store.prepare("select id, client_order_id, state from sim_order where client_order_id like 'gw%'").all();
}

function standing(own: WeekWorld): ReadonlyMap<string, { readonly id: string; readonly state: string }> {
  return new Map(sentOrders(own).map((row) => [String(row["client_order_id"]), { id: String(row["id"]), state: String(row["state"]) }]));
}
