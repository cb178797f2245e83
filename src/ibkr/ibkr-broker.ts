import type { Mode } from "../broker/account.ts";
import type { Broker } from "../broker/broker.ts";
import type { HealthLayer, LinkHealth } from "../broker/health.ts";
import type { Clock } from "../lib/clock.ts";
import { type ErrorCode, GatewayError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { version } from "../lib/version.ts";
import { Accounts } from "./accounts.ts";
import { Api } from "./api.ts";
import { Contracts } from "./contracts.ts";
import { createResearch } from "./create-research.ts";
import { createLiveData } from "./live-data.ts";
import { Histories } from "./histories.ts";
import type { Login } from "./login.ts";
import type { ProveMode } from "./mode-proof.ts";
import { OptionChains } from "./option-chains.ts";
import { Orders } from "./orders.ts";
import { Portfolio } from "./portfolio.ts";
import { Quotes } from "./quotes.ts";
import { Session } from "./session.ts";
import type { SessionOptions } from "./session-deps.ts";
import { Snapshots } from "./snapshots.ts";
import type { SocketEdge } from "./socket-edge.ts";
import type { StreamFigures } from "./stream.ts";
import { Streams } from "./streams.ts";
import { Transport } from "./transport.ts";
import { createUserBudgets, type UserBudget } from "./user-budgets.ts";

/** A broker with a session of its own, which is opened on first use. */
export interface IbkrBroker extends Broker {
  /** Waits until the session is open. Throws `connection_not_ready`, `connection_frozen`, `session_competing` or `upstream_unavailable`. */
  ready(signal: AbortSignal): Promise<void>;
  /** True while the session is open, as far as is known. */
  readonly isReady: boolean;
  /** What is known of the session by layer. Asks nobody. */
  health(): LinkHealth;
  /** Tells of each change of health from now on. Returns how to stop. */
  onHealth(listener: (health: LinkHealth) => void): () => void;
  /** As `ready`, but at once even in a pause, because a person asked; at most every ten seconds. */
  check(signal: AbortSignal): Promise<void>;
  /** Takes the brokerage session from another login of the same user: an explicit act of a person. Throws as `ready` does. */
  takeOver(signal: AbortSignal): Promise<void>;
  /** Whether quotes come by the stream or by polling, and what it has done; undefined where there is none. For metrics. */
  streamFigures(): StreamFigures | undefined;
  /** Ends the session and all that keeps it alive. */
  close(): Promise<void>;
}

export interface IbkrBrokerDeps {
  /** The Web API's base, without a slash at its end: `https://api.ibkr.com/v1/api`. */
  readonly baseUrl: string;
  readonly login: Login;
  readonly proveMode: ProveMode;
  /** What the connection was made for; another proven mode freezes it. */
  readonly expectedMode: Mode;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fetch: typeof fetch;
  /** Opens the session's stream; without it, quotes and orders are polled. */
  readonly socket?: SocketEdge | undefined;
  /** This link's share in its IBKR user's budget, left when the link is closed; one of its own where it isn't given. */
  readonly budget?: UserBudget;
}

/** Connects the `Broker` port to IBKR's Web API. Nothing is sent before the first call. */
export function createIbkrBroker(deps: IbkrBrokerDeps, options: SessionOptions = {}): IbkrBroker {
  const { baseUrl, clock, log } = deps;
  const budget = deps.budget ?? createUserBudgets({ clock, log }).join(baseUrl, deps.login.face);
  const { pacer } = budget;
  const userAgent = `ibkr-gateway/${version()}`;
  const transport = new Transport({ baseUrl, fetch: deps.fetch, clock, log, pacer, userAgent });
  const session = new Session({ ...deps, transport }, options);
  const api = new Api({ transport, session, clock });
  session.onHealth(({ state, userName }) => {
    if (userName !== undefined) budget.rename(userName);
    if (state !== "established") budget.selection.forget();
  });
  const accounts = new Accounts(api, () => budget.selection);
  const portfolio = new Portfolio(api, accounts);
  const contracts = new Contracts(api);
  const optionChains = new OptionChains(api, contracts);
  const streams = new Streams({ api, clock, log });
  const snapshots = new Snapshots({ api, streams, log });
  const { random, socket } = deps;
  const live = socket && createLiveData({ session, socket, lines: streams, clock, random, log, userAgent });
  const quotes = new Quotes({ api, contracts, snapshots, log, live: live?.quotes });
  const histories = new Histories(api, contracts);
  const orders = new Orders({ api, accounts, contracts, live: live?.orders });
  return {
    mode: deps.expectedMode,
    ready: (signal) => session.ready(signal),
    get isReady() {
      return session.isReady;
    },
    health: () => session.health(),
    onHealth: (listener) => session.onHealth(listener),
    check: (signal) => session.check(signal),
    takeOver: (signal) => session.takeOver(signal),
    streamFigures: () => live?.stream.figures(),
    close: async () => {
      live?.stream.close();
      quotes.close();
      streams.close();
      snapshots.close();
      await session.close();
      budget.leave();
    },
    time: () => transport.time(),
    accounts: async (call) => {
      const list = await accounts.list(call);
      session.learned({ accounts: list });
      return list;
    },
    positions: (accountId, call) => portfolio.positions(accountId, call),
    cashLedger: (accountId, call) => portfolio.cashLedger(accountId, call),
    summary: (accountId, call) => portfolio.summary(accountId, call),
    search: (query, call) => contracts.search(query, call),
    stocks: (symbol, call) => contracts.stocks(symbol, call),
    options: (underlyingConid, contract, call) => optionChains.options(underlyingConid, contract, call),
    instruments: (conids, call) => contracts.instruments(conids, call),
    tradingRules: async (conid, call) => (await contracts.rules(conid, call)).rules,
    quotes: (conids, call) => noted(session, "market_data", quotes.quotes(conids, call)),
    history: (request, call) => histories.history(request, call),
    orders: (accountId, call) => orders.list(accountId, call),
    order: (accountId, orderId, call) => orders.find(accountId, orderId, call),
    trades: (accountId, days, call) => orders.trades(accountId, days, call),
    lookForOrders: (accountId, days, call) => orders.lookFor(accountId, days, call),
    previewOrder: (ticket, call) => orders.preview(ticket, call),
    submitOrder: (ticket, call) => orders.submit(ticket, call),
    confirmQuestion: (accountId, replyId, call) => orders.confirm(accountId, replyId, call),
    declineQuestion: (accountId, replyId, call) => orders.decline(accountId, replyId, call),
    cancelOrder: (accountId, orderId, call) => orders.cancel(accountId, orderId, call),
    ...createResearch({ api, accounts, portfolio, contracts, optionChains, streams, live: live?.pnl }),
  };
}

/** Lets a layer's health show how what it serves goes. A caller who hung up says nothing of it. */
async function noted<T>(session: Session, layer: HealthLayer, read: Promise<T>): Promise<T> {
  try {
    const answer = await read;
    session.note(layer, "ok");
    return answer;
  } catch (error) {
    if (error instanceof GatewayError && TELLING.has(error.code)) session.note(layer, error);
    throw error;
  }
}

/** Failures of the broker, not of a caller's arguments. */
const TELLING: ReadonlySet<ErrorCode> = new Set(["broker_error", "market_data_unavailable", "timeout", "upstream_unavailable"]);
