import type { CallOptions } from "../broker/broker.ts";
import type { Instrument } from "../broker/instrument.ts";
import type { History, HistoryRequest } from "../broker/market-data.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Api } from "./api.ts";
import { failureOf } from "./api-failures.ts";
import type { Contracts } from "./contracts.ts";
import { historyReply, historyRequest, historyStatus, toBars } from "./endpoints/market-data.ts";
import { errorTextOf, readReply } from "./endpoints/reply.ts";
import { scheduleReply, scheduleRequest } from "./endpoints/trading-schedule.ts";
import { ianaZone, tradingDates, zoneOfExchange } from "./exchange-zones.ts";
import { SharedReads } from "./shared-reads.ts";
import type { Answer } from "./transport.ts";

/** A first call may meet a cold service: 404 or 500, and a moment later the bars. */
const COLD_PAUSE_MS = 1500;
const DAILY_OR_LONGER = /^\d+[dwm]$/;
const ZONES = { maxEntries: 1000, ttlMs: 86_400_000 };

/** Price history. */
export class Histories {
  readonly #api: Api;
  readonly #contracts: Contracts;
  readonly #reads = new SharedReads<History>();
  readonly #zones: BoundedCache<number, string>;

  constructor(api: Api, contracts: Contracts) {
    this.#api = api;
    this.#contracts = contracts;
    this.#zones = new BoundedCache({ clock: api.clock, ...ZONES });
  }

  async history(request: HistoryRequest, options: CallOptions): Promise<History> {
    const key = `${request.conid} ${request.period} ${request.bar} ${request.outsideRth}`;
    return await this.#reads.run(key, options, (shared) => this.#load(request, shared));
  }

  async #load(request: HistoryRequest, options: CallOptions): Promise<History> {
    const instrument = await this.#contracts.instrument(request.conid, options);
    const magnifier = await this.#contracts.magnifier(instrument, options);
    await this.#contracts.primeMarketData(instrument, options);
    const answer = await this.#fetch(request, options);
    if (/chart data unavailable|no data/i.test(errorTextOf(answer.body) ?? ""))
      throw new GatewayError("market_data_unavailable", `IBKR has no price history of ${instrument.symbol} for this period.`, {
        whatToDo: "Try another period, or check the market data subscriptions of the IBKR user.",
      });
    const failure = failureOf(answer);
    if (failure !== undefined) throw failure;
    const reply = readReply(historyReply, answer.body, "the price history");
    const timeZone = await this.#zoneOf(instrument, options);
    const isDaily = DAILY_OR_LONGER.test(request.bar);
    const dateOf = isDaily && timeZone !== undefined ? tradingDates(timeZone) : undefined;
    return {
      ...request,
      currency: instrument.currency,
      timeZone,
      dataStatus: historyStatus(reply),
      bars: toBars(reply, { magnifier, dateOf }),
      asOf: this.#api.clock.now(),
    };
  }

  async #fetch(request: HistoryRequest, options: CallOptions): Promise<Answer> {
    const answer = await this.#api.answer(historyRequest(request), options);
    const isCold = answer.status === 404 || (answer.status === 500 && !/chart data/i.test(errorTextOf(answer.body) ?? ""));
    if (!isCold) return answer;
    await this.#api.clock.wait(COLD_PAUSE_MS, options.signal);
    return await this.#api.answer(historyRequest(request), options);
  }

  async #zoneOf(instrument: Instrument, options: CallOptions): Promise<string | undefined> {
    const known = zoneOfExchange(instrument.exchange) ?? this.#zones.get(instrument.conid);
    if (known !== undefined) return known;
    const answer = await this.#api.answer(scheduleRequest(instrument.conid), options, { retryCold: false });
    const reply = scheduleReply.safeParse(answer.body);
    const zone = answer.status === 200 && reply.success ? ianaZone(reply.data.exchange_time_zone) : undefined;
    if (zone !== undefined) this.#zones.set(instrument.conid, zone);
    return zone;
  }
}
