import { Decimal } from "../../lib/decimal.ts";
import { money } from "./number-text.ts";
import type { AccountValuation } from "./valuation.ts";

type Sums = Map<string, Decimal>;

interface LongAndShort {
  readonly long: Sums;
  readonly short: Sums;
}

/** Builds the allocation of one or several accounts by asset class, sector and group, in the first one's base currency (C.3). */
export function allocationOf(
  valuations: readonly AccountValuation[],
  rateTo: (from: string) => Decimal,
): Readonly<Record<string, unknown>> {
  const assetClass = emptySums();
  const sector = emptySums();
  const group = emptySums();
  for (const { account, holdings, total } of valuations) {
    const rate = rateTo(account.baseCurrency);
    add(assetClass, "CASH", total.cash.times(rate));
    for (const { instrument, value, rate: toBase } of holdings) {
      const amount = value.times(toBase).times(rate);
      add(assetClass, instrument.secType, amount);
      if (instrument.secType === "OPT") continue;
      add(sector, instrument.sector === "" ? "Others" : instrument.sector, amount);
      add(group, instrument.group === "" ? "Others" : instrument.group, amount);
    }
  }
  return { assetClass: written(assetClass), sector: written(sector), group: written(group) };
}

function emptySums(): LongAndShort {
  return { long: new Map(), short: new Map() };
}

function add({ long, short }: LongAndShort, name: string, amount: Decimal): void {
  if (amount.isZero()) return;
  const sums = amount.isNegative() ? short : long;
  sums.set(name, (sums.get(name) ?? Decimal.zero).plus(amount));
}

function written({ long, short }: LongAndShort): Readonly<Record<string, unknown>> {
  return { long: amounts(long), short: amounts(short) };
}

function amounts(sums: Sums): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...sums].map(([name, amount]) => [name, money(amount)]));
}
