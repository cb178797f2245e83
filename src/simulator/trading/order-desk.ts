import type { Random } from "../../lib/random.ts";
import type { Market } from "../market/market.ts";
import type { Exchange } from "./exchange.ts";
import { tickOf } from "./amounts.ts";
import type { DeskFaults } from "./desk-faults.ts";
import { OpenQuestions } from "./open-questions.ts";
import type { OpenQuestion, PendingTicket } from "./open-questions.ts";
import { newOrder, nextOrderId } from "./new-order.ts";
import { bracketGroup, ocaGroup } from "./order-group.ts";
import { endOfOrder } from "./order-lifetime.ts";
import { questionsOf, withPricesOnTick } from "./order-questions.ts";
import type { OrderQuestion } from "./order-questions.ts";
import { refusalOf } from "./order-refusals.ts";
import type { OrderContext } from "./order-refusals.ts";
import { orderStatus } from "./order-status.ts";
import type { SimOrder, Ticket } from "./records.ts";
import { trailingStop } from "./trailing.ts";
import type { TradingStore } from "./trading-store.ts";
import type { AccountValuation } from "./valuation.ts";

/** How much later an order may go live whose question was answered too late. */
const LATE_ORDER_DELAY_MS = 3000;
/** Orders that wait to go live late; further ones are dropped, as a real one may be. */
const MAX_LATE_ORDERS = 100;

/** Who sends an order: the session's user and the message ids that the session has suppressed. */
export interface Sender {
  readonly userName: string;
  readonly suppressed: ReadonlySet<string>;
  /** When the request reached IBKR, epoch ms; the present by default. */
  readonly sentAt?: number;
}

/** What comes of an order request. `lost` is IBKR's 503: the order may still go live later. */
export type DeskReply =
  | { readonly kind: "accepted"; readonly order: SimOrder; readonly others?: readonly SetOutcome[] }
  | { readonly kind: "question"; readonly open: OpenQuestion }
  /** An advanced reject: a prompt about an order that has an id but isn't placed. */
  | { readonly kind: "prompt"; readonly orderId: number }
  | { readonly kind: "refused"; readonly text: string }
  | { readonly kind: "duplicate"; readonly text: string }
  | { readonly kind: "unknown_order" | "not_working" | "unknown_question" | "declined" | "lost" };

/** What comes of one of the further orders of a set: it was taken, or refused though the first was taken. */
export type SetOutcome = SimOrder | { readonly failure: string };

/** Orders that are sent together: a parent and its children, or several of which one cancels all. */
export interface OrderSet {
  readonly first: Ticket;
  readonly others: readonly Ticket[];
  readonly kind: "bracket" | "oca";
}

/** What comes of a cancellation; `at_once` when the order wasn't at the exchange yet. */
export type CancelReply =
  | { readonly kind: "requested" | "at_once"; readonly order: SimOrder }
  | { readonly kind: "unknown_order" }
  | { readonly kind: "not_working" };

/** Takes orders, asks and hears answers, changes and cancels. */
export interface OrderDesk {
  place(ticket: Ticket, sender: Sender, now: number): DeskReply;
  /** Places a set. A child whose parent was taken may still be refused by itself. */
  placeSet(set: OrderSet, sender: Sender, now: number): DeskReply;
  /** Finds an order that a child names as its parent, by order id or `cOID`. */
  parent(accountId: string, reference: string): SimOrder | undefined;
  modify(orderId: number, ticket: Ticket, request: { sender: Sender; now: number }): DeskReply;
  /** Answers a question; each can be answered once. */
  reply(questionId: string, confirmed: boolean, request: { sender: Sender; now: number }): DeskReply;
  /** Judges a ticket without placing it. */
  judge(ticket: Ticket, now: number): { readonly context: OrderContext; readonly refusal: string | undefined };
  cancel(accountId: string, orderId: number, now: number): CancelReply;
  cancelAll(accountId: string, now: number): void;
  /** Lets orders whose answer came too late go live when their time has come. */
  advance(now: number): void;
  sessionEnded(userName: string): void;
}

export interface OrderDeskDeps {
  readonly market: Market;
  readonly random: Random;
  readonly store: TradingStore;
  readonly exchange: Exchange;
  /** Share of late confirmations whose order goes live all the same, from 0 to 1. */
  readonly lateOrderShare: number;
  /** What is made to go wrong on purpose. */
  readonly faults: DeskFaults;
  valuation(accountId: string, at: number): AccountValuation;
}

/** Makes the order desk of a brokerage. */
export function createOrderDesk(deps: OrderDeskDeps): OrderDesk {
  return new Desk(deps);
}

class Desk implements OrderDesk {
  readonly #deps: OrderDeskDeps;
  readonly #questions: OpenQuestions;
  readonly #late: { readonly pending: PendingTicket; readonly at: number }[] = [];
  /** Orders that were asked about and go live unless their question is answered, by the question's id. */
  readonly #unanswered = new Map<string, PendingTicket>();

  constructor(deps: OrderDeskDeps) {
    this.#deps = deps;
    this.#questions = new OpenQuestions(deps.random);
  }

  place(ticket: Ticket, sender: Sender, now: number): DeskReply {
    this.#questions.disturb(ticket.accountId);
    return this.#consider({ userName: sender.userName, ticket, orderId: undefined }, sender, now);
  }

  placeSet({ first, others, kind }: OrderSet, sender: Sender, now: number): DeskReply {
    this.#questions.disturb(first.accountId);
    return this.#consider({ userName: sender.userName, ticket: first, orderId: undefined, others, set: kind }, sender, now);
  }

  parent(accountId: string, reference: string): SimOrder | undefined {
    const { store } = this.#deps;
    const byId = /^\d{1,15}$/.test(reference) ? store.order(Number(reference)) : undefined;
    const found = byId ?? store.orderByClientId(accountId, reference);
    return found?.accountId === accountId ? found : undefined;
  }

  modify(orderId: number, ticket: Ticket, { sender, now }: { sender: Sender; now: number }): DeskReply {
    this.#questions.disturb(ticket.accountId);
    return this.#consider({ userName: sender.userName, ticket, orderId }, sender, now);
  }

  reply(questionId: string, confirmed: boolean, { sender, now }: { sender: Sender; now: number }): DeskReply {
    const taken = this.#questions.take(questionId, sender.userName, now);
    if (taken === undefined) return { kind: "unknown_question" };
    const { open, stale } = taken;
    this.#questions.disturb(open.pending.ticket.accountId);
    const isIgnored = !confirmed && open.pending.ignoresNo === true;
    if (!stale && !isIgnored) this.#unanswered.delete(questionId);
    if (stale) {
      if (confirmed) this.#maybeLater(open.pending, now);
      return { kind: "lost" };
    }
    if (!confirmed) return { kind: "declined" };
    const [next, ...rest] = open.next.filter((question) => !question.messages.every(({ id }) => sender.suppressed.has(id)));
    if (next !== undefined) return this.#ask(open.pending, [next, ...rest], now);
    return this.#refused(open.pending, now) ?? this.#accept(open.pending, now);
  }

  judge(ticket: Ticket, now: number): { readonly context: OrderContext; readonly refusal: string | undefined } {
    const context = this.#context(ticket, undefined, now);
    return { context, refusal: refusalOf(ticket, context) };
  }

  cancel(accountId: string, orderId: number, now: number): CancelReply {
    const order = this.#deps.store.order(orderId);
    if (order === undefined || order.accountId !== accountId) return { kind: "unknown_order" };
    if (order.state !== "working") return { kind: "not_working" };
    // Its children go with it when time next passes, or live on for what it has filled.
    if (orderStatus(order, this.#deps.market, now) === "PreSubmitted") {
      this.#deps.exchange.put({ ...order, state: "cancelled", updatedAt: now });
      return { kind: "at_once", order };
    }
    this.#deps.exchange.put({ ...order, cancelRequestedAt: order.cancelRequestedAt ?? now, updatedAt: now });
    return { kind: "requested", order };
  }

  cancelAll(accountId: string, now: number): void {
    for (const order of this.#deps.exchange.working) if (order.accountId === accountId) this.cancel(accountId, order.id, now);
  }

  advance(now: number): void {
    for (const late of this.#late.filter(({ at }) => at <= now)) {
      this.#late.splice(this.#late.indexOf(late), 1);
      if (this.#refused(late.pending, now) === undefined) this.#accept(late.pending, now);
    }
    for (const [id, pending] of this.#unanswered) {
      if ((pending.goesLiveAt ?? now) > now) continue;
      this.#unanswered.delete(id);
      if (this.#refused(pending, now) === undefined) this.#accept(pending, now);
    }
  }

  sessionEnded(userName: string): void {
    this.#questions.forget(userName);
  }

  #consider(asked: PendingTicket, sender: Sender, now: number): DeskReply {
    const refused = this.#refusedAtOnce(asked, now) ?? this.#refused(asked, now);
    if (refused?.kind === "refused") this.#deps.faults.register(asked.ticket, "refusal", now);
    if (refused !== undefined) return refused;
    const pending = this.#withFate(asked, sender, now);
    if (pending.orderId === undefined && this.#deps.faults.prompts(pending.ticket, now)) return this.#prompt(pending);
    const before = this.#target(pending);
    const context = this.#context(pending.ticket, before, now);
    const own = questionsOf(pending.ticket, context, { suppressed: sender.suppressed, before });
    const known = new Set([...sender.suppressed, ...own.flatMap(({ messages }) => messages.map(({ id }) => id))]);
    const ofOthers = (pending.others ?? []).flatMap((ticket) => {
      const questions = questionsOf(ticket, this.#context(ticket, undefined, now), { suppressed: known, before: undefined });
      for (const { messages } of questions) for (const { id } of messages) known.add(id);
      return questions;
    });
    const onPurpose = pending.orderId === undefined ? this.#deps.faults.question(pending.ticket, now) : undefined;
    const [first, ...rest] = [...(onPurpose === undefined ? [] : [onPurpose]), ...own, ...ofOthers];
    if (first === undefined) return this.#accept(pending, now);
    this.#deps.faults.register(pending.ticket, "question", now);
    return this.#ask(pending, [first, ...rest], now);
  }

  #ask(pending: PendingTicket, questions: readonly [OrderQuestion, ...OrderQuestion[]], now: number): DeskReply {
    const open = this.#questions.ask(pending, questions, now);
    if (pending.goesLiveAt !== undefined) this.#unanswered.set(open.id, pending);
    return { kind: "question", open };
  }

  #prompt(pending: PendingTicket): DeskReply {
    const orderId = nextOrderId(this.#deps.store);
    if (pending.goesLiveAt !== undefined) this.#unanswered.set(String(orderId), pending);
    return { kind: "prompt", orderId };
  }

  /** A new order with the time at which a fault lets it go live without an answer. */
  #withFate(pending: PendingTicket, { sentAt }: Sender, now: number): PendingTicket {
    if (pending.orderId !== undefined) return pending;
    return { ...pending, ...this.#deps.faults.fateOf(pending.ticket, { sentAt: sentAt ?? now, now }) };
  }

  /** What only an order that has just arrived is refused for: a registered `cOID`, or a fault. */
  #refusedAtOnce({ ticket, orderId }: PendingTicket, now: number): DeskReply | undefined {
    const { faults } = this.#deps;
    if (orderId !== undefined || faults.wasTaken(ticket, now)) return undefined;
    if (faults.isRegistered(ticket, now)) return duplicateOf(ticket);
    const text = faults.refusal(ticket, now);
    return text === undefined ? undefined : { kind: "refused", text };
  }

  /** The order that a ticket changes. */
  #target({ orderId }: PendingTicket): SimOrder | undefined {
    return orderId === undefined ? undefined : this.#deps.store.order(orderId);
  }

  #refused(pending: PendingTicket, now: number): DeskReply | undefined {
    const { ticket, orderId } = pending;
    const before = this.#target(pending);
    if (orderId !== undefined) {
      if (before === undefined || before.accountId !== ticket.accountId) return { kind: "unknown_order" };
      if (before.state !== "working" || before.cancelRequestedAt !== undefined) return { kind: "not_working" };
      const text = changeRefusal(before, ticket);
      if (text !== undefined) return { kind: "refused", text };
    } else if (this.#deps.faults.wasTaken(ticket, now)) return duplicateOf(ticket);
    const text = refusalOf(remainder(ticket, before), this.#context(ticket, before, now));
    return text === undefined ? undefined : { kind: "refused", text };
  }

  #context(ticket: Ticket, before: SimOrder | undefined, now: number): OrderContext {
    const { market, exchange } = this.#deps;
    const instrument = market.instrument(ticket.conid);
    if (instrument === undefined) throw new RangeError(`unknown conid: ${ticket.conid}`);
    const working = exchange.working.filter((order) => order.accountId === ticket.accountId && order.id !== before?.id);
    return { market, instrument, valuation: this.#deps.valuation(ticket.accountId, now), working, now };
  }

  #accept(pending: PendingTicket, now: number): DeskReply {
    const { market, store, exchange } = this.#deps;
    const before = this.#target(pending);
    const ticket = this.#completed(pending.ticket, before, now);
    const expiresAt = endOfOrder(ticket, market, now);
    if (before !== undefined) {
      const order = { ...before, ...changes(ticket), expiresAt, arrived: false, activeFrom: now, updatedAt: now };
      store.atomically(() => exchange.put(order));
      return { kind: "accepted", order };
    }
    return store.atomically(() => {
      const order = this.#put(ticket, { now, group: (id) => (pending.set === "oca" ? ocaGroup(id) : ticket.group) });
      if (pending.others === undefined) return { kind: "accepted", order };
      return { kind: "accepted", order, others: pending.others.map((other) => this.#acceptOther(other, { order, pending, now })) };
    });
  }

  /** Takes one of the further orders of a set, whose first was taken. */
  #acceptOther(ticket: Ticket, { order, pending, now }: { order: SimOrder; pending: PendingTicket; now: number }): SetOutcome {
    const bracket = pending.set === "bracket";
    const linked = bracket ? { ...ticket, parentOrderId: order.id } : ticket;
    const refused = this.#refused({ userName: pending.userName, ticket: linked, orderId: undefined }, now);
    if (refused !== undefined) return { failure: "text" in refused ? refused.text : refused.kind };
    const group = bracket ? bracketGroup(order.id) : ocaGroup(order.id);
    return this.#put(this.#completed(linked, undefined, now), { now, group: () => group });
  }

  #put(ticket: Ticket, { now, group }: { now: number; group: (id: number) => string | undefined }): SimOrder {
    const { market, exchange, store } = this.#deps;
    const id = nextOrderId(this.#deps.store);
    const own = group(id);
    const held = ticket.parentOrderId !== undefined && store.order(ticket.parentOrderId)?.state === "working";
    const expiresAt = endOfOrder(ticket, market, now);
    const order = { ...newOrder(ticket, id, now), expiresAt, ...(own === undefined ? {} : { group: own }), ...(held ? { held } : {}) };
    exchange.put(order);
    return order;
  }

  /** A ticket as it is placed: prices on the tick, and a trailing stop at its distance from the market. */
  #completed(ticket: Ticket, before: SimOrder | undefined, now: number): Ticket {
    const { instrument, market } = this.#context(ticket, before, now);
    const onTick = withPricesOnTick(ticket, { instrument });
    if (ticket.trail === undefined || onTick.stopPrice !== undefined) return onTick;
    const { last } = market.quote(ticket.conid, now);
    return { ...onTick, stopPrice: trailingStop(ticket, last, tickOf(instrument, last)) };
  }

  #maybeLater(pending: PendingTicket, now: number): void {
    const drawn = this.#deps.random.bytes(4).readUInt32BE() / 2 ** 32;
    if (drawn >= this.#deps.lateOrderShare || this.#late.length >= MAX_LATE_ORDERS) return;
    this.#late.push({ pending, at: now + LATE_ORDER_DELAY_MS });
  }
}

function duplicateOf({ clientOrderId = "" }: Ticket): DeskReply {
  return { kind: "duplicate", text: `Order couldn't be submitted: Local order ID=${clientOrderId} is already registered.` };
}

/** What a modification may change. */
function changes(ticket: Ticket): Pick<SimOrder, "quantity" | "limitPrice" | "stopPrice" | "tif" | "trail" | "goodTill"> {
  const { quantity, limitPrice, stopPrice, tif, trail, goodTill } = ticket;
  return { quantity, limitPrice, stopPrice, tif, trail, goodTill };
}

function changeRefusal(before: SimOrder, ticket: Ticket): string | undefined {
  if (ticket.conid !== before.conid) return "Order's contract can not be changed.";
  if (ticket.side !== before.side) return "Order's side can not be changed.";
  if (ticket.kind !== before.kind) return "Order's type can not be changed.";
  if (ticket.outsideRth !== before.outsideRth) return "Order's outside regular trading hours attribute can not be changed.";
  return ticket.quantity.greaterThan(before.filled) ? undefined : "Order quantity can not be less than what has been filled.";
}

/** What is still to be filled of a changed order; a new one as it is. */
function remainder(ticket: Ticket, before: SimOrder | undefined): Ticket {
  return before === undefined ? ticket : { ...ticket, quantity: ticket.quantity.minus(before.filled) };
}
