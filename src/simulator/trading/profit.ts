import { money } from "./number-text.ts";
import type { AccountValuation } from "./valuation.ts";

/** An account's profit and loss as IBKR abbreviates it. */
export interface Profit {
  readonly rowType: 1;
  /** Daily profit and loss. */
  readonly dpl: unknown;
  /** Net liquidation value. */
  readonly nl: unknown;
  /** Unrealised profit and loss. */
  readonly upl: unknown;
  /** Excess liquidity; the socket's `spl` calls it `uel`. */
  readonly el: unknown;
  /** Market value of the positions. */
  readonly mv: unknown;
}

/** Reads the profit and loss off a valuation, in the account's base currency. */
export function profitOf({ total, excessLiquidity }: AccountValuation): Profit {
  return {
    rowType: 1,
    dpl: money(total.daily),
    nl: money(total.netLiquidation),
    upl: money(total.unrealized),
    el: money(excessLiquidity),
    mv: money(total.netLiquidation.minus(total.cash)),
  };
}
