import type { Broker, CallOptions } from "../broker/broker.ts";
import type { Order, OrderPreview, OrderStatusName } from "../broker/order.ts";
import type { Caller } from "../connections/caller.ts";
import type { OrderDraft } from "./order-draft.ts";
import type { RequestState } from "./order-states.ts";
import type { QuestionMessage } from "./questions.ts";
import type { OrderDecision, UnresolvedOrder } from "./unresolved-orders.ts";

/** Who asks, through which link, and until when. */
export interface TradingCall {
  readonly caller: Caller;
  readonly broker: Broker;
  readonly call: CallOptions;
}

/** One order to be placed. Without a `clientOrderId` one is made and answered. */
export interface PlaceRequest {
  readonly draft: OrderDraft;
  readonly clientOrderId: string | undefined;
  /** The caller's own words on why; kept with the order. */
  readonly reason: string | undefined;
}

/** A token, and what the caller said beside it: whatever is given must be what the token stands for. */
export interface ConfirmRequest {
  readonly token: string;
  readonly draft: OrderDraft | undefined;
  readonly accountId: string | undefined;
  readonly clientOrderId: string | undefined;
}

interface OutcomeBase {
  readonly clientOrderId: string;
  readonly draft: OrderDraft;
}

/** What came of placing an order. Refusals, rejections and unknown outcomes are thrown as `GatewayError`. */
export type PlaceOutcome =
  | (OutcomeBase & {
      readonly kind: "placed";
      readonly orderId: string;
      readonly status: OrderStatusName;
      /** True when an earlier call with the same `clientOrderId` placed it; `status` is then its state now. */
      readonly isRepeat: boolean;
      /** When a repeat's order was known to be placed, epoch ms. */
      readonly placedAt: number | undefined;
    })
  | (OutcomeBase & {
      readonly kind: "confirmation_required";
      readonly messages: readonly QuestionMessage[];
      /** Good once, for this caller, until `expiresAt`. */
      readonly token: string;
      readonly expiresAt: number;
      readonly round: number;
      readonly maxRounds: number;
    })
  | (OutcomeBase & { readonly kind: "declined" })
  /** An earlier call with the same `clientOrderId` is still under way. */
  | (OutcomeBase & { readonly kind: "pending" });

/** Names an order by the broker's id or by the caller's own. */
export interface OrderName {
  readonly accountId: string;
  readonly orderId: string | undefined;
  readonly clientOrderId: string | undefined;
}

/** An order as it is found: at the broker, or only in our own rows. */
export type FoundOrder =
  | { readonly kind: "order"; readonly order: Order; readonly clientOrderId: string | undefined }
  | {
      readonly kind: "request";
      readonly requestId: string;
      readonly clientOrderId: string;
      readonly draft: OrderDraft;
      readonly state: RequestState;
      readonly orderId: string | undefined;
      readonly status: OrderStatusName | undefined;
      /** The broker's words where it refused the order, or the code of what kept it back. */
      readonly reason: string | undefined;
      /** The broker's words where its answer was not clear. */
      readonly said: string | undefined;
      /** Whether its question can still be confirmed by its token. */
      readonly canConfirm: boolean;
    };

/** An order or execution as IBKR listed it. */
export interface SeenOrder {
  readonly customerOrderId: string | undefined;
  readonly orderId: string | undefined;
  readonly status?: OrderStatusName;
}

/** What came of a cancellation, with the order as it was last seen. */
export interface CancelResult {
  readonly orderId: string;
  readonly clientOrderId: string | undefined;
  readonly status: OrderStatusName;
  readonly order: Order | undefined;
  /** True when there was nothing left to do: it had been cancelled before. */
  readonly wasCancelled: boolean;
}

/** What an order passes on its way: idempotency, submission at most once, questions, confirmation, reconciliation. */
export interface Trading {
  /**
   * Places an order at most once per `clientOrderId` of its caller. Throws `invalid_arguments` before anything is sent,
   * `idempotency_mismatch`, `possible_duplicate`, `broker_rejected`, `not_sent`, `outcome_unknown`, `outcome_unresolved`,
   * `confirmation_limit` or `storage_unavailable`.
   */
  placeOrder(request: PlaceRequest, call: TradingCall): Promise<PlaceOutcome>;
  /** Goes on with an order whose questions were shown. Throws `confirmation_expired` or `confirmation_mismatch` too. */
  confirmOrder(request: ConfirmRequest, call: TradingCall): Promise<PlaceOutcome>;
  /** Uses the token up without placing the order. */
  declineOrder(request: ConfirmRequest, call: TradingCall): Promise<PlaceOutcome>;
  /** IBKR's what-if; nothing is placed. */
  previewOrder(draft: OrderDraft, call: TradingCall): Promise<OrderPreview>;
  /** Throws `order_not_found`, `order_not_working` or `outcome_unknown`. Cancelling twice is harmless. */
  cancelOrder(name: OrderName, call: TradingCall): Promise<CancelResult>;
  /** Looks an order up; one whose outcome is open is looked for at the broker first. */
  findOrder(name: OrderName, call: TradingCall): Promise<FoundOrder | undefined>;
  /** The accounts in which our rows know this order, so that a caller need not name one. */
  accountsOf(name: Omit<OrderName, "accountId">, caller: Caller): Promise<readonly string[]>;
  /** The callers' own ids of listed orders, by their `cOID`; records those that were not known to be placed. */
  recognize(seen: readonly SeenOrder[], call: Pick<TradingCall, "caller" | "broker">): Promise<ReadonlyMap<string, string>>;
  /** A user's orders of unknown outcome, newest first. */
  unresolvedOrders(userId: string): Promise<readonly UnresolvedOrder[]>;
  /** One of them; undefined where it is resolved or not theirs. */
  unresolvedOrder(ref: Pick<OrderDecision, "userId" | "requestId">): Promise<UnresolvedOrder | undefined>;
  /** Stores what an owner found at IBKR. Throws `order_not_found` or, too early, `invalid_arguments`. */
  decideOrder(decision: OrderDecision): Promise<void>;
  /** Closes what dead processes left, and starts looking for orders of unknown outcome by their `cOID`. */
  reconcile(): Promise<void>;
  /** Lets orders in progress run to their end, then stops looking for lost ones. */
  close(): Promise<void>;
}
