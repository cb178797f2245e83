import type { CallOptions } from "../broker/broker.ts";
import type { ExchangeRate } from "../broker/research.ts";
import { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Api } from "./api.ts";
import { exchangeRateReply, exchangeRateRequest } from "./endpoints/exchange-rates.ts";
import { readReply } from "./endpoints/reply.ts";
import { KeptReads } from "./kept-reads.ts";

/** Rates are for orientation, not for dealing: half a minute is as good as now. More pairs than there are in common use. */
const KEPT = { maxEntries: 500, freshMs: 30_000 };
const CURRENCY = /^[A-Z]{3}$/;
const INVERSE_DECIMALS = 12;
/** How IBKR says that it has no such pair. */
const NO_PAIR = new Set(["broker_rejected", "broker_error"]);

/** Rates between currencies. */
export class ExchangeRates {
  readonly #api: Api;
  readonly #kept: KeptReads<ExchangeRate>;

  constructor(api: Api) {
    this.#api = api;
    this.#kept = new KeptReads({ clock: api.clock, ...KEPT });
  }

  /** Throws `invalid_arguments` for currencies between which IBKR has no rate. */
  async rate(fromCode: string, toCode: string, options: CallOptions): Promise<ExchangeRate> {
    const [from = "", to = ""] = [fromCode, toCode].map((code) => code.trim().toUpperCase());
    if (!CURRENCY.test(from) || !CURRENCY.test(to)) throw noRate(from, to);
    if (from === to) return { from, to, rate: Decimal.one, inverse: Decimal.one, asOf: this.#api.clock.now() };
    return await this.#kept.read(`${from} ${to}`, options, async (shared): Promise<ExchangeRate> => {
      const rate = await this.#ask(from, to, shared);
      if (rate !== undefined) return { from, to, rate, inverse: inverted(rate), asOf: this.#api.clock.now() };
      // IBKR knows some pairs in one direction only.
      const inverse = await this.#ask(to, from, shared);
      if (inverse === undefined) throw noRate(from, to);
      return { from, to, rate: inverted(inverse), inverse, asOf: this.#api.clock.now() };
    });
  }

  async #ask(source: string, target: string, options: CallOptions): Promise<Decimal | undefined> {
    try {
      const reply = readReply(exchangeRateReply, await this.#api.read(exchangeRateRequest(source, target), options), "the exchange rate");
      return reply.rate?.isPositive() === true ? reply.rate : undefined;
    } catch (error) {
      if (error instanceof GatewayError && NO_PAIR.has(error.code)) return undefined;
      throw error;
    }
  }
}

function inverted(rate: Decimal): Decimal {
  return Decimal.one.dividedBy(rate, INVERSE_DECIMALS);
}

function noRate(from: string, to: string): GatewayError {
  return new GatewayError("invalid_arguments", `IBKR has no exchange rate from ${from.slice(0, 10)} to ${to.slice(0, 10)}.`, {
    whatToDo: "Use currency codes such as USD, EUR or GBP.",
  });
}
