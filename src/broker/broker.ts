import type { Account, AccountSummary, CashLedger, Mode, Position } from "./account.ts";
import type { Instrument, SecurityMatch, TradingRules } from "./instrument.ts";
import type { History, HistoryRequest, Quote } from "./market-data.ts";
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
} from "./order.ts";
import type { Research } from "./research.ts";

/** Permission of one order to leave. What either throws is proof that nothing was sent. */
export interface Leave {
  /** Called once the session, the turn upstream and the connection are there; commits the permission. */
  allow(): Promise<void>;
  /** Called right before the first byte: throws where the permission is too old by then. */
  check(): void;
}

/** What a single call may take: its deadline or its caller's hanging up, and who is asking (for fairness between callers). */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** Identifies the caller for fair queueing: one key or grant. */
  readonly caller: string;
  /** True where an order waits for the answer: such calls go upstream before others. */
  readonly urgent?: boolean;
  /** Lets an order, or a yes to its question, leave. */
  readonly leave?: Leave;
  /** Told once for each request that goes upstream. */
  readonly onUpstreamCall?: () => void;
}

/**
 * A live link to a brokerage: THE PORT between our tools and IBKR.
 * Every call names its account. Reads throw `GatewayError`; order calls answer outcomes, because
 * "it may have been placed" is not an error to be retried.
 */
export interface Broker extends Research {
  readonly mode: Mode;

  /** The broker's own time, epoch ms, by the `Date` of its last answer, whatever this machine's clock does; undefined where it sends none. */
  time(): number | undefined;

  /** The connection's own sub-accounts, without `All` and groups. */
  accounts(options: CallOptions): Promise<readonly Account[]>;
  positions(accountId: string, options: CallOptions): Promise<readonly Position[]>;
  cashLedger(accountId: string, options: CallOptions): Promise<CashLedger>;
  summary(accountId: string, options: CallOptions): Promise<AccountSummary>;

  /** Searches by ticker and by company name, best first. */
  search(query: string, options: CallOptions): Promise<readonly SecurityMatch[]>;
  /** The stocks and ETFs with exactly this ticker, all listings. */
  stocks(symbol: string, options: CallOptions): Promise<readonly Instrument[]>;
  /** Option contracts of one underlying, month (`YYYY-MM`), strike and right; every expiry in that month. */
  options(underlyingConid: number, contract: OptionQuery, options: CallOptions): Promise<readonly Instrument[]>;
  /** The instruments with these ids; unknown ids are absent from the answer. */
  instruments(conids: readonly number[], options: CallOptions): Promise<readonly Instrument[]>;
  tradingRules(conid: number, options: CallOptions): Promise<TradingRules>;

  /** One quote per known id, in the order asked; at most 50 ids. */
  quotes(conids: readonly number[], options: CallOptions): Promise<readonly Quote[]>;
  history(request: HistoryRequest, options: CallOptions): Promise<History>;

  /** Today's orders of the account in every state, and those still working. */
  orders(accountId: string, options: CallOptions): Promise<OrderList>;
  order(accountId: string, orderId: string, options: CallOptions): Promise<Order | undefined>;
  /** Executions of the last `days` (1–7). */
  trades(accountId: string, days: number, options: CallOptions): Promise<readonly Trade[]>;
  /**
   * Looks for orders of unknown outcome among the orders and the executions of the last `days` (1–7), without any cache.
   * Takes 5 to 25 seconds, since IBKR limits its lists. What is missing in them proves nothing.
   */
  lookForOrders(accountId: string, days: number, options: CallOptions): Promise<OrderSightings>;

  previewOrder(ticket: OrderTicket, options: CallOptions): Promise<OrderPreview>;
  /** Sends the order once. Never throws for what happened after it was sent. */
  submitOrder(ticket: OrderTicket, options: CallOptions): Promise<SubmitOutcome>;
  /** Answers a question with yes, once. */
  confirmQuestion(accountId: string, replyId: string, options: CallOptions): Promise<SubmitOutcome>;
  declineQuestion(accountId: string, replyId: string, options: CallOptions): Promise<DeclineOutcome>;
  cancelOrder(accountId: string, orderId: string, options: CallOptions): Promise<CancelOutcome>;
}

/** Which option contracts of an underlying: `month` is `YYYY-MM`, `strike` plain digits. */
export interface OptionQuery {
  readonly month: string;
  readonly strike: string;
  readonly right: "C" | "P";
}
