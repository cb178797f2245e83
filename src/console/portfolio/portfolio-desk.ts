import type { Account, AccountSummary, CashLedger, Position } from "../../broker/account.ts";
import type { Broker, CallOptions } from "../../broker/broker.ts";
import type { Instrument, SecurityMatch } from "../../broker/instrument.ts";
import type { History, HistoryRequest, Quote } from "../../broker/market-data.ts";
import type { OrderList, Trade } from "../../broker/order.ts";
import type { AccountPnl, MarketHours, Performance, PerformancePeriod } from "../../broker/research.ts";
import type { ConnectionRef, Connections } from "../../connections/connections.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { type Pace, type Part, Readings } from "./readings.ts";

/** One account of one person's connection. */
export interface AccountRef extends ConnectionRef {
  readonly accountId: string;
}

/** What the pages read of a connection; each part comes or fails by itself, after a moment at most. */
export interface PortfolioDesk {
  accounts(ref: ConnectionRef, pace?: Pace): Promise<Part<readonly Account[]>>;
  positions(ref: AccountRef, pace?: Pace): Promise<Part<readonly Position[]>>;
  ledger(ref: AccountRef, pace?: Pace): Promise<Part<CashLedger>>;
  summary(ref: AccountRef, pace?: Pace): Promise<Part<AccountSummary>>;
  pnl(ref: AccountRef, pace?: Pace): Promise<Part<AccountPnl>>;
  orders(ref: AccountRef, pace?: Pace): Promise<Part<OrderList>>;
  /** Executions of today. */
  trades(ref: AccountRef, pace?: Pace): Promise<Part<readonly Trade[]>>;
  performance(ref: AccountRef, period: PerformancePeriod, pace?: Pace): Promise<Part<Performance>>;
  /** `null` for an id that no contract has. */
  instrument(ref: ConnectionRef, conid: number, pace?: Pace): Promise<Part<Instrument | null>>;
  /** `null` where the broker has no quote. */
  quote(ref: ConnectionRef, conid: number, pace?: Pace): Promise<Part<Quote | null>>;
  history(ref: ConnectionRef, request: HistoryRequest, pace?: Pace): Promise<Part<History>>;
  marketHours(ref: ConnectionRef, conid: number, pace?: Pace): Promise<Part<MarketHours>>;
  search(ref: ConnectionRef, query: string, pace?: Pace): Promise<Part<readonly SecurityMatch[]>>;
}

export interface PortfolioDeskDeps {
  readonly connections: Pick<Connections, "open">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Holdings: asked at the broker each time, three requests. */
const HOLDINGS_MS = 4_000;
/** Profit, orders and executions: the link keeps them current by its stream, or asks once in five seconds. */
const STREAMED_MS = 2_000;
/** Quotes: from the link's stream, or a snapshot that all share. */
const QUOTE_MS = 1_000;
const HISTORY_MS = 30_000;
/** What hardly changes. */
const LASTING_MS = 10 * 60_000;
/** The broker itself keeps value over time for a quarter of an hour. */
const PERFORMANCE_MS = 60_000;
const SEARCH_MS = 60_000;
/** Accounts that people look at within minutes; a list of positions may have thousands of rows. */
const MAX_ACCOUNTS = 200;
/** Contracts that people look at within minutes; a history has some hundred bars. */
const MAX_CONTRACTS = 500;

/** Makes the desk. It opens sessions where they are closed, and keeps what it read in memory for some minutes. */
export function createPortfolioDesk({ connections, clock, log }: PortfolioDeskDeps): PortfolioDesk {
  const kept = <V>(freshMs: number, maxEntries: number) => new Readings<V>({ clock, log, freshMs, maxEntries });
  const accounts = kept<readonly Account[]>(LASTING_MS, MAX_ACCOUNTS);
  const positions = kept<readonly Position[]>(HOLDINGS_MS, MAX_ACCOUNTS);
  const ledgers = kept<CashLedger>(HOLDINGS_MS, MAX_ACCOUNTS);
  const summaries = kept<AccountSummary>(HOLDINGS_MS, MAX_ACCOUNTS);
  const pnls = kept<AccountPnl>(STREAMED_MS, MAX_ACCOUNTS);
  const orders = kept<OrderList>(STREAMED_MS, MAX_ACCOUNTS);
  const trades = kept<readonly Trade[]>(STREAMED_MS, MAX_ACCOUNTS);
  const performances = kept<Performance>(PERFORMANCE_MS, MAX_ACCOUNTS);
  const instruments = kept<Instrument | null>(LASTING_MS, MAX_CONTRACTS);
  const quotes = kept<Quote | null>(QUOTE_MS, MAX_CONTRACTS);
  const histories = kept<History>(HISTORY_MS, MAX_CONTRACTS);
  const hours = kept<MarketHours>(LASTING_MS, MAX_CONTRACTS);
  const searches = kept<readonly SecurityMatch[]>(SEARCH_MS, MAX_CONTRACTS);

  const by =
    <V>({ connectionId, userId }: ConnectionRef, ask: (broker: Broker, options: CallOptions) => Promise<V>) =>
    async (signal: AbortSignal): Promise<V> => {
      const { broker } = await connections.open({ connectionId, userId }, signal);
      return await ask(broker, { signal, caller: `console:${connectionId}` });
    };
  const key = ({ userId, connectionId }: ConnectionRef, ...parts: readonly (string | number)[]): string =>
    JSON.stringify([userId, connectionId, ...parts]);
  const ofAccount = (ref: AccountRef): string => key(ref, ref.accountId);

  return {
    accounts: (ref, pace) => accounts.read(key(ref), { load: by(ref, (broker, options) => broker.accounts(options)), pace }),
    positions: (ref, pace) =>
      positions.read(ofAccount(ref), { load: by(ref, (broker, options) => broker.positions(ref.accountId, options)), pace }),
    ledger: (ref, pace) =>
      ledgers.read(ofAccount(ref), { load: by(ref, (broker, options) => broker.cashLedger(ref.accountId, options)), pace }),
    summary: (ref, pace) =>
      summaries.read(ofAccount(ref), { load: by(ref, (broker, options) => broker.summary(ref.accountId, options)), pace }),
    pnl: (ref, pace) => pnls.read(ofAccount(ref), { load: by(ref, (broker, options) => broker.pnl(ref.accountId, options)), pace }),
    orders: (ref, pace) => orders.read(ofAccount(ref), { load: by(ref, (broker, options) => broker.orders(ref.accountId, options)), pace }),
    trades: (ref, pace) =>
      trades.read(ofAccount(ref), { load: by(ref, (broker, options) => broker.trades(ref.accountId, 1, options)), pace }),
    performance: (ref, period, pace) =>
      performances.read(key(ref, ref.accountId, period), {
        load: by(ref, (broker, options) => broker.performance(ref.accountId, period, options)),
        pace,
      }),
    instrument: (ref, conid, pace) =>
      instruments.read(key(ref, conid), {
        load: by(ref, async (broker, options) => (await broker.instruments([conid], options))[0] ?? null),
        pace,
      }),
    quote: (ref, conid, pace) =>
      quotes.read(key(ref, conid), {
        load: by(ref, async (broker, options) => (await broker.quotes([conid], options))[0] ?? null),
        pace,
      }),
    history: (ref, request, pace) =>
      histories.read(key(ref, request.conid, request.period, request.bar), {
        load: by(ref, (broker, options) => broker.history(request, options)),
        pace,
      }),
    marketHours: (ref, conid, pace) =>
      hours.read(key(ref, conid), { load: by(ref, (broker, options) => broker.marketHours(conid, options)), pace }),
    search: (ref, query, pace) =>
      searches.read(key(ref, query), { load: by(ref, (broker, options) => broker.search(query, options)), pace }),
  };
}
