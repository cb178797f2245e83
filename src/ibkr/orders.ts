import type { CallOptions } from "../broker/broker.ts";
import type {
  CancelOutcome,
  DeclineOutcome,
  Order,
  OrderList,
  OrderPreview,
  OrderSightings,
  OrderTicket,
  SubmitOutcome,
  Trade,
} from "../broker/order.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import type { ErrorCode } from "../lib/errors.ts";
import { KeyedLock } from "../lib/keyed-lock.ts";
import type { Accounts } from "./accounts.ts";
import type { Api, CommitResult } from "./api.ts";
import { failureOf, lostLayer } from "./api-failures.ts";
import type { Contracts } from "./contracts.ts";
import { cancelOutcome, declineOutcome, submitOutcome } from "./endpoints/order-outcomes.ts";
import * as wire from "./endpoints/orders.ts";
import { errorTextOf, readReply } from "./endpoints/reply.ts";
import { Executions } from "./executions.ts";
import { type LiveOrders, TRUSTED_MS } from "./live-orders.ts";
import { OrderLook } from "./order-look.ts";
import { PriceUnits } from "./price-units.ts";
import { PrimedReads } from "./primed-reads.ts";
import { SharedReads } from "./shared-reads.ts";
import type { ApiRequest } from "./transport.ts";

/** IBKR answers each of these lists once in five seconds; until then the last answer is given, with its own time. */
const LISTED_MS = 5000;
/** With a stream that tells each change, a list serves longer. */
const STREAMED_LISTS = { maxEntries: 50, ttlMs: TRUSTED_MS };
/** Failures whose words may be about an order; all others are about the session, a limit or the service. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["broker_rejected", "broker_error"]);

export interface OrdersDeps {
  readonly api: Api;
  readonly accounts: Accounts;
  readonly contracts: Contracts;
  /** States as the stream tells them; without it, IBKR is asked for them. */
  readonly live?: LiveOrders | undefined;
}

/** A list as IBKR answered it in one session. */
interface Listed {
  readonly list: OrderList;
  readonly generation: number;
}

/** An account's orders and executions, and everything that changes them. Nothing that changes an order is ever sent twice. */
export class Orders {
  readonly #api: Api;
  readonly #accounts: Accounts;
  readonly #units: PriceUnits;
  readonly #primed: PrimedReads;
  readonly #executions: Executions;
  readonly #look: OrderLook;
  readonly #live: LiveOrders | undefined;
  readonly #orders: BoundedCache<string, Listed>;
  readonly #orderReads = new SharedReads<Listed>();
  readonly #statusReads = new SharedReads<Order | undefined>();
  readonly #sending = new KeyedLock<string>();
  /** Counts what we sent: a list that was read before the last sending isn't served after it. */
  #changes = 0;
  /** Account → when we last sent something about its orders. Bounded by the connection's accounts. */
  readonly #sentAt = new Map<string, number>();

  constructor(deps: OrdersDeps) {
    this.#api = deps.api;
    this.#accounts = deps.accounts;
    this.#units = new PriceUnits(deps.contracts);
    this.#primed = new PrimedReads(deps.api);
    this.#live = deps.live;
    const parts = { api: deps.api, accounts: deps.accounts, units: this.#units, live: deps.live };
    this.#executions = new Executions({ ...parts, primed: this.#primed });
    this.#look = new OrderLook({ ...parts, executions: this.#executions });
    this.#orders = new BoundedCache({ clock: deps.api.clock, ...STREAMED_LISTS });
  }

  /**
   * Today's orders. Which there are is what IBKR answered at `asOf`; their states, and orders that came since, are as the stream
   * tells them where there is one. So an order that is missing was missing when IBKR was asked.
   */
  async list(accountId: string, options: CallOptions): Promise<OrderList> {
    this.#live?.use();
    const key = `${accountId} ${this.#changes}`;
    const kept = this.#orders.get(key);
    if (kept !== undefined && this.#serves(kept)) return await this.#withNews(accountId, kept.list, options);
    const { list } = await this.#orderReads.run(key, options, async (shared) => {
      const listed = await this.#listed(accountId, shared);
      this.#orders.set(key, listed);
      return listed;
    });
    return await this.#withNews(accountId, list, options);
  }

  /** One order: its status, or, where IBKR keeps that to itself (an older order), its row among the live ones. */
  async find(accountId: string, orderId: string, options: CallOptions): Promise<Order | undefined> {
    this.#live?.use();
    const row = this.#live?.order(accountId, orderId, this.#sentAt.get(accountId) ?? -Infinity);
    if (row !== undefined) return wire.toOrder(row, (await this.#units.ofRows([row], options))(row));
    const key = `${accountId} ${orderId} ${this.#changes}`;
    return await this.#statusReads.run(key, options, async (shared) => {
      const status = await this.#status(accountId, orderId, shared);
      if (status !== undefined) return status;
      const { orders } = await this.list(accountId, shared);
      return orders.find((order) => order.orderId === orderId);
    });
  }

  /** Executions as IBKR lists them and as the stream told them. */
  async trades(accountId: string, days: number, options: CallOptions): Promise<readonly Trade[]> {
    return await this.#executions.list(accountId, { days, changes: this.#changes }, options);
  }

  /** Looks for orders of unknown outcome. */
  async lookFor(accountId: string, days: number, options: CallOptions): Promise<OrderSightings> {
    return await this.#look.look(accountId, days, options);
  }

  /** IBKR's what-if. It places nothing, so that it is recovered like a read. */
  async preview(ticket: OrderTicket, options: CallOptions): Promise<OrderPreview> {
    await this.#accounts.find(ticket.accountId, options);
    const request = wire.whatIfRequest(ticket, await this.#units.ofOrder(ticket.conid, options));
    const answer = await this.#api.answer(request, options);
    const failure = failureOf(answer);
    if (failure !== undefined && !(REFUSALS.has(failure.code) && errorTextOf(answer.body) !== undefined)) throw failure;
    return wire.toPreview(readReply(wire.whatIfReply, answer.body, "the preview"));
  }

  async submit(ticket: OrderTicket, options: CallOptions): Promise<SubmitOutcome> {
    const result = await this.#send(ticket.accountId, options, async () => {
      await this.#accounts.find(ticket.accountId, options);
      return wire.placeRequest(ticket, await this.#units.ofOrder(ticket.conid, options));
    });
    return submitOutcome(result);
  }

  async confirm(accountId: string, replyId: string, options: CallOptions): Promise<SubmitOutcome> {
    const result = await this.#send(accountId, options, () => Promise.resolve(wire.replyRequest(replyId, true)));
    return submitOutcome(result);
  }

  async decline(accountId: string, replyId: string, options: CallOptions): Promise<DeclineOutcome> {
    const result = await this.#send(accountId, options, () => Promise.resolve(wire.replyRequest(replyId, false)));
    return declineOutcome(result);
  }

  /** Asks for a cancellation. Asking again is harmless, so it is done once more when IBKR had no session to hear the first. */
  async cancel(accountId: string, orderId: string, options: CallOptions): Promise<CancelOutcome> {
    const prepare = async () => {
      await this.#accounts.find(accountId, options);
      return wire.cancelRequest(accountId, orderId);
    };
    const first = await this.#send(accountId, options, prepare);
    const wasUnheard = first.kind === "answered" && lostLayer(first.answer) !== undefined;
    return cancelOutcome(wasUnheard ? await this.#send(accountId, options, prepare) : first);
  }

  async #listed(accountId: string, options: CallOptions): Promise<Listed> {
    await this.#accounts.find(accountId, options);
    const read = async (request: ApiRequest) =>
      readReply(wire.liveOrdersReply, await this.#api.read(request, options), "the orders").orders;
    const rows = await this.#primed.read(wire.liveOrdersRequest(accountId), read, options);
    const asOf = this.#api.clock.now();
    const { generation } = this.#api.session;
    const own = rows.filter((row) => (row.account ?? row.acct) === accountId);
    const orders = await this.#toOrders(own, options);
    this.#live?.confirm(orders, asOf);
    return { list: { orders, asOf }, generation };
  }

  /** A list serves for seconds; longer while the stream of its own session tells what changes. */
  #serves({ list, generation }: Listed): boolean {
    const isStreamed = this.#live?.isCurrent === true && generation === this.#api.session.generation;
    return isStreamed || this.#api.clock.now() - list.asOf < LISTED_MS;
  }

  async #withNews(accountId: string, list: OrderList, options: CallOptions): Promise<OrderList> {
    if (this.#live === undefined) return list;
    const rows = this.#live.ordersSince(accountId, list.asOf);
    const news = new Map((await this.#toOrders(rows, options)).map((order) => [order.orderId, order]));
    const orders = list.orders.map((order) => news.get(order.orderId) ?? order);
    const listed = new Set(list.orders.map(({ orderId }) => orderId));
    return { orders: [...orders, ...[...news.values()].filter(({ orderId }) => !listed.has(orderId))], asOf: list.asOf };
  }

  async #toOrders(rows: readonly wire.LiveOrder[], options: CallOptions): Promise<Order[]> {
    const unitOf = await this.#units.ofRows(rows, options);
    return rows.flatMap((row) => wire.toOrder(row, unitOf(row)) ?? []);
  }

  /** Prepares and sends one request of an account, one at a time: IBKR forgets a question when another order comes between. */
  async #send(accountId: string, options: CallOptions, prepare: () => Promise<ApiRequest>): Promise<CommitResult> {
    return await this.#sending.run(accountId, async () => {
      let request: ApiRequest;
      try {
        options.signal.throwIfAborted();
        request = await prepare();
      } catch (error) {
        return { kind: "not_sent", error: error instanceof Error ? error : new Error(String(error)) };
      }
      try {
        return await this.#api.commit(request, options);
      } finally {
        this.#changes += 1;
        this.#sentAt.set(accountId, this.#api.clock.now());
      }
    });
  }

  async #status(accountId: string, orderId: string, options: CallOptions): Promise<Order | undefined> {
    const answer = await this.#accounts.withSelected(accountId, options, () =>
      this.#api.answer(wire.orderStatusRequest(orderId), options, { retryCold: false }),
    );
    if (answer.status === 401 || answer.status === 429) throw failureOf(answer) ?? new Error("an answer of this status is a failure");
    const reply = wire.orderStatusReply.safeParse(answer.body);
    if (answer.status !== 200 || !reply.success || reply.data.account !== accountId) return undefined;
    const order = wire.toOrderOfStatus(reply.data, (await this.#units.ofRows([reply.data], options))(reply.data));
    if (order !== undefined) this.#live?.confirm([order], this.#api.clock.now());
    return order;
  }
}
