import { Decimal } from "../../lib/decimal.ts";
import type { SimInstrument } from "../market/market.ts";

interface Tariff {
  readonly perUnit?: string;
  /** Share of the trade's value. */
  readonly share?: string;
  readonly minimum: string;
  /** Highest share of the trade's value; it wins over the minimum. */
  readonly maximumShare?: string;
}

/** After IBKR Pro's fixed pricing for stocks, by currency. */
const STOCK_TARIFFS: Readonly<Record<string, Tariff>> = {
  USD: { perUnit: "0.005", minimum: "1", maximumShare: "0.01" },
  CAD: { perUnit: "0.01", minimum: "1", maximumShare: "0.005" },
  EUR: { share: "0.0005", minimum: "3" },
  GBP: { share: "0.0005", minimum: "3" },
  CHF: { share: "0.0005", minimum: "5" },
  JPY: { share: "0.0008", minimum: "80" },
  HKD: { share: "0.0008", minimum: "18" },
  AUD: { share: "0.0008", minimum: "6" },
};

const OTHER_STOCKS: Tariff = { share: "0.001", minimum: "5" };
const OPTIONS: Tariff = { perUnit: "0.65", minimum: "1" };
const CURRENCIES: Tariff = { share: "0.00002", minimum: "2" };

/** Decimals of a commission, as IBKR reports it. */
const DECIMALS = 4;

/**
 * Computes the whole commission of an order of which `quantity` was filled for `amount`, in the instrument's currency.
 * It never falls as an order fills further, so a fill costs what the order costs with it less what it cost before.
 */
export function commissionOf(instrument: SimInstrument, quantity: Decimal, amount: Decimal): Decimal {
  const tariff = tariffOf(instrument);
  const charge = tariff.perUnit === undefined ? share(amount, tariff.share) : Decimal.parse(tariff.perUnit).times(quantity);
  const atLeast = Decimal.max(charge, Decimal.parse(tariff.minimum));
  const capped = tariff.maximumShare === undefined ? atLeast : Decimal.min(atLeast, share(amount, tariff.maximumShare));
  return capped.round(DECIMALS);
}

function tariffOf(instrument: SimInstrument): Tariff {
  if (instrument.secType === "OPT") return OPTIONS;
  if (instrument.secType === "CASH") return CURRENCIES;
  return STOCK_TARIFFS[instrument.currency] ?? OTHER_STOCKS;
}

function share(amount: Decimal, fraction: string | undefined): Decimal {
  return amount.times(Decimal.parse(fraction ?? "0"));
}
