import type { CashLedger, Position } from "../../broker/account.ts";
import type { SecType } from "../../broker/instrument.ts";
import { Decimal } from "../../lib/decimal.ts";

/** What people call the kinds of holdings, in the order in which they are shown. */
export const HOLDING_CLASSES = ["stocks", "options", "futures", "currencies", "other"] as const;

export type HoldingClass = (typeof HOLDING_CLASSES)[number];

/** A position with what it comes to within its account. */
export interface Holding {
  readonly position: Position;
  readonly holdingClass: HoldingClass;
  /** Its market value in the base currency; undefined where no rate is known. */
  readonly baseValue: Decimal | undefined;
  /** Its unrealized profit in the base currency. */
  readonly basePnl: Decimal | undefined;
  /** Percent of the account's net value. */
  readonly share: Decimal | undefined;
  /** Unrealized profit in percent of what was paid. */
  readonly pnlPercent: Decimal | undefined;
}

const HUNDRED = Decimal.fromInteger(100);
const PERCENT_DIGITS = 4;
const CLASSES: Partial<Readonly<Record<SecType, HoldingClass>>> = {
  STK: "stocks",
  OPT: "options",
  FOP: "options",
  FUT: "futures",
  CASH: "currencies",
};

/** Works out what each position comes to; positions that were closed today are left out, as IBKR lists them on until its day ends. */
export function holdingsOf(
  positions: readonly Position[],
  { ledger, netValue }: { readonly ledger: CashLedger | undefined; readonly netValue: Decimal | undefined },
): readonly Holding[] {
  const rates = ratesOf(ledger);
  return positions
    .filter(({ quantity }) => !quantity.isZero())
    .map((position) => {
      const { marketValue, unrealizedPnl, currency } = position;
      const rate = rates.get(currency);
      const inBase = (value: Decimal | undefined) => (value === undefined || rate === undefined ? undefined : value.times(rate));
      const baseValue = inBase(marketValue);
      return {
        position,
        holdingClass: CLASSES[position.secType] ?? "other",
        baseValue,
        basePnl: inBase(unrealizedPnl),
        share: baseValue === undefined || netValue === undefined ? undefined : percentOf(baseValue, netValue),
        pnlPercent:
          marketValue === undefined || unrealizedPnl === undefined
            ? undefined
            : percentOf(unrealizedPnl, marketValue.minus(unrealizedPnl).abs()),
      };
    });
}

/** What a position is called beyond its symbol, without the exchange's own code that IBKR adds to derivatives; undefined where that says no more. */
export function descriptionOf({ symbol, description }: Pick<Position, "symbol" | "description">): string | undefined {
  const text = description?.replace(/\s*\[[^\]]*\]$/, "").trim();
  return text === undefined || text === "" || text === symbol ? undefined : text;
}

/** What part of `whole` is, in percent; undefined of nothing. */
export function percentOf(part: Decimal, whole: Decimal): Decimal | undefined {
  return whole.isZero() ? undefined : part.times(HUNDRED).dividedBy(whole, PERCENT_DIGITS);
}

/** Units of the base currency for one of each currency. */
function ratesOf(ledger: CashLedger | undefined): ReadonlyMap<string, Decimal> {
  if (ledger === undefined) return new Map();
  const rates = ledger.balances.flatMap(({ currency, exchangeRate }) =>
    exchangeRate === undefined ? [] : [[currency, exchangeRate] as const],
  );
  return new Map([...rates, [ledger.baseCurrency, Decimal.one] as const]);
}
