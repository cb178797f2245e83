import { Decimal } from "../../lib/decimal.ts";
import type { Holding } from "./holdings.ts";

/** What positions can be sorted by. */
export const SORT_KEYS = ["symbol", "quantity", "average", "price", "value", "pnl", "currency", "share"] as const;

export type SortKey = (typeof SORT_KEYS)[number];

/** An order of positions, as `?sort=-value` names it. */
export interface PositionOrder {
  readonly key: SortKey;
  readonly isDescending: boolean;
}

/** The largest first. */
const USUAL: PositionOrder = { key: "value", isDescending: true };

/** Reads an order; anything else is the usual one. */
export function readOrder(text: string | undefined): PositionOrder {
  const key = SORT_KEYS.find((candidate) => candidate === text?.replace(/^-/, ""));
  return key === undefined || text === undefined ? USUAL : { key, isDescending: text.startsWith("-") };
}

/** Writes an order for an address; undefined for the usual one. */
export function orderText({ key, isDescending }: PositionOrder): string | undefined {
  return key === USUAL.key && isDescending === USUAL.isDescending ? undefined : `${isDescending ? "-" : ""}${key}`;
}

/** The order that choosing a column leads to: turned round where it is chosen already; names begin with A, numbers with the largest. */
export function nextOrder(present: PositionOrder, key: SortKey): PositionOrder {
  if (present.key === key) return { key, isDescending: !present.isDescending };
  return { key, isDescending: key !== "symbol" && key !== "currency" };
}

/** Sorts holdings; what isn't known comes last either way, and equals stand by symbol. */
export function sortHoldings(holdings: readonly Holding[], { key, isDescending }: PositionOrder): readonly Holding[] {
  const direction = isDescending ? -1 : 1;
  // Yen and dollars don't compare by their digits; where no rate is known at all there is nothing else to go by.
  const hasRates = holdings.some(({ baseValue }) => baseValue !== undefined);
  return holdings.toSorted((a, b) => {
    const [first, second] = [sortedBy(a, key, hasRates), sortedBy(b, key, hasRates)];
    if (first === undefined || second === undefined) {
      return first === second ? bySymbol(a, b) : first === undefined ? 1 : -1;
    }
    return direction * compare(first, second) || bySymbol(a, b);
  });
}

function sortedBy({ position, baseValue, basePnl, share }: Holding, key: SortKey, hasRates: boolean): Decimal | string | undefined {
  switch (key) {
    case "symbol":
      return position.symbol;
    case "quantity":
      return position.quantity;
    case "average":
      return position.averagePrice;
    case "price":
      return position.marketPrice;
    case "value":
      return hasRates ? baseValue : position.marketValue;
    case "pnl":
      return hasRates ? basePnl : position.unrealizedPnl;
    case "currency":
      return position.currency;
    case "share":
      return share;
  }
}

function compare(a: Decimal | string, b: Decimal | string): number {
  if (a instanceof Decimal && b instanceof Decimal) return a.compare(b);
  return byText(a.toString(), b.toString());
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function bySymbol(a: Holding, b: Holding): number {
  return byText(a.position.symbol, b.position.symbol) || a.position.conid - b.position.conid;
}
