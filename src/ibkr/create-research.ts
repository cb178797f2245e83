import type { Research } from "../broker/research.ts";
import type { Accounts } from "./accounts.ts";
import type { Api } from "./api.ts";
import type { Contracts } from "./contracts.ts";
import { ExchangeRates } from "./exchange-rates.ts";
import { Futures } from "./futures.ts";
import type { LivePnl } from "./live-pnl.ts";
import type { OptionChains } from "./option-chains.ts";
import { OptionQuotes } from "./option-quotes.ts";
import { Performances } from "./performances.ts";
import type { Portfolio } from "./portfolio.ts";
import { ProfitAndLoss } from "./profit-and-loss.ts";
import { Scanners } from "./scanners.ts";
import type { Streams } from "./streams.ts";
import { TradingSchedules } from "./trading-schedules.ts";
import { TransactionLists } from "./transaction-lists.ts";

/** The parts of a connection that research builds on. */
export interface ResearchDeps {
  readonly api: Api;
  readonly accounts: Accounts;
  readonly portfolio: Portfolio;
  readonly contracts: Contracts;
  readonly optionChains: OptionChains;
  readonly streams: Streams;
  /** Profit and loss as the stream tells them, where there is one. */
  readonly live?: LivePnl | undefined;
}

/** Makes the reads beyond accounts, quotes and orders. */
export function createResearch({ api, accounts, portfolio, contracts, optionChains, streams, live }: ResearchDeps): Research {
  const profitAndLoss = new ProfitAndLoss({ api, accounts, portfolio, live });
  const performances = new Performances(api, accounts);
  const transactionLists = new TransactionLists({ api, accounts, contracts });
  const optionQuotes = new OptionQuotes({ api, contracts, streams });
  const futures = new Futures(api);
  const exchangeRates = new ExchangeRates(api);
  const tradingSchedules = new TradingSchedules(api, contracts);
  const scanners = new Scanners(api);
  return {
    pnl: (accountId, call) => profitAndLoss.pnl(accountId, call),
    performance: (accountId, period, call) => performances.performance(accountId, period, call),
    transactions: (request, call) => transactionLists.transactions(request, call),
    optionMonths: (underlyingConid, call) => optionChains.months(underlyingConid, call),
    optionStrikes: (underlyingConid, month, call) => optionChains.strikes(underlyingConid, month, call),
    optionContracts: (request, call) => optionChains.contracts(request, call),
    optionQuotes: (conids, call) => optionQuotes.quotes(conids, call),
    futures: (symbols, call) => futures.futures(symbols, call),
    exchangeRate: (from, to, call) => exchangeRates.rate(from, to, call),
    marketHours: (conid, call) => tradingSchedules.hours(conid, call),
    scannerParameters: (call) => scanners.parameters(call),
    runScanner: (request, call) => scanners.run(request, call),
  };
}
