import type { Decimal } from "../../../lib/decimal.ts";

/** What a user holds in an instrument, as market data fields tell it. Amounts are in the instrument's currency. */
export interface PositionFigures {
  /** Negative when short. */
  readonly quantity: Decimal;
  /** Without the multiplier, commissions included. */
  readonly averagePrice: Decimal;
  readonly value: Decimal;
  readonly costBasis: Decimal;
  readonly unrealized: Decimal;
  readonly realized: Decimal;
  readonly daily: Decimal;
  /** Share of the account's net liquidation value, in per cent. */
  readonly shareOfAccount: Decimal;
}
