import { Decimal } from "../../lib/decimal.ts";
import { HOLDING_CLASSES, type Holding, type HoldingClass } from "./holdings.ts";

/** One part of a whole. */
export interface AllocationSlice<K extends string = string> {
  readonly key: K;
  /** In the base currency; what is sold short counts by its size. */
  readonly value: Decimal;
  /** Tenths of a percent; those of all slices add up to 1,000. */
  readonly tenths: number;
}

/** How an account's money is spread. */
export interface Allocation {
  readonly byClass: readonly AllocationSlice<HoldingClass | "cash">[];
  /** The largest holdings by their place among the holdings, the others together, and cash. */
  readonly largest: readonly (AllocationSlice & { readonly holding: Holding | undefined })[];
  /** Holdings whose value in the base currency isn't known, and so are left out. */
  readonly unknown: number;
  readonly hasShort: boolean;
}

/** Holdings with a slice of their own. */
const MAX_LARGEST = 5;
const ALL_TENTHS = 1000;

/** Works out the picture; undefined where there is nothing to divide. */
export function allocationOf(holdings: readonly Holding[], cash: Decimal | undefined): Allocation | undefined {
  const known = holdings.flatMap((holding) => (holding.baseValue === undefined ? [] : [{ holding, value: holding.baseValue.abs() }]));
  const cashPart = cash?.isPositive() === true ? [{ key: "cash" as const, value: cash, holding: undefined }] : [];
  const classes = HOLDING_CLASSES.flatMap((key) => {
    const value = Decimal.sum(known.filter(({ holding }) => holding.holdingClass === key).map((part) => part.value));
    return value.isZero() ? [] : [{ key, value }];
  });
  const byClass = withTenths([...classes, ...cashPart.map(({ key, value }) => ({ key, value }))]);
  if (byClass.length === 0) return undefined;
  const sorted = known.toSorted((a, b) => b.value.compare(a.value));
  const own = sorted.slice(0, MAX_LARGEST).map(({ holding, value }) => ({ key: String(holding.position.conid), value, holding }));
  const rest = Decimal.sum(sorted.slice(MAX_LARGEST).map(({ value }) => value));
  const others = rest.isZero() ? [] : [{ key: "others", value: rest, holding: undefined }];
  return {
    byClass,
    largest: withTenths([...own, ...others, ...cashPart]),
    unknown: holdings.length - known.length,
    hasShort: known.some(({ holding }) => holding.baseValue?.isNegative() === true),
  };
}

/** Divides a whole into tenths of a percent so that they add up: what rounding down leaves goes to the largest remainders. */
export function withTenths<T extends { readonly value: Decimal }>(parts: readonly T[]): readonly (T & { readonly tenths: number })[] {
  const total = Decimal.sum(parts.map(({ value }) => value));
  if (total.isZero()) return [];
  const all = Decimal.fromInteger(ALL_TENTHS);
  const exact = parts.map(({ value }) => value.times(all).dividedBy(total));
  const whole = exact.map((tenths) => tenths.round(0, "down"));
  const left = ALL_TENTHS - Number(Decimal.sum(whole).toString());
  const byRemainder = exact
    .map((tenths, index) => ({ index, remainder: tenths.minus(tenths.round(0, "down")) }))
    .toSorted((a, b) => b.remainder.compare(a.remainder));
  const favoured = new Set(byRemainder.slice(0, left).map(({ index }) => index));
  return parts.map((part, index) => ({
    ...part,
    tenths: Number((whole[index] ?? Decimal.zero).toString()) + (favoured.has(index) ? 1 : 0),
  }));
}
