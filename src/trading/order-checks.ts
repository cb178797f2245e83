import type { OrderTypeName, PriceIncrement, TradingRules } from "../broker/instrument.ts";
import type { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import type { OrderDraft } from "./order-draft.ts";

/** Which prices an order type wants; it must have these and no others. */
const PRICES: Record<OrderTypeName, { readonly limit: boolean; readonly stop: boolean }> = {
  MKT: { limit: false, stop: false },
  LMT: { limit: true, stop: false },
  STP: { limit: false, stop: true },
  STP_LIMIT: { limit: true, stop: true },
};

/** Checks what needs no rules of the instrument. Throws `invalid_arguments` in words that say what to change. */
export function checkOrderShape(draft: OrderDraft): void {
  if (!draft.quantity.isPositive())
    throw refuse("quantity must be greater than zero.", "Send a positive quantity; the side says buy or sell.");
  const wanted = PRICES[draft.orderType];
  checkPrice("limit_price", draft.orderType, { price: draft.limitPrice, wanted: wanted.limit });
  checkPrice("stop_price", draft.orderType, { price: draft.stopPrice, wanted: wanted.stop });
  if (draft.timeInForce === "IOC" && wanted.stop) {
    throw refuse(`A ${draft.orderType} order can't be IOC: it waits for its stop price.`, "Use tif DAY or GTC.");
  }
  if (draft.outsideRth && draft.orderType === "MKT") {
    throw refuse("A MKT order can't be filled outside regular hours.", "Use order_type LMT with a limit_price, or outside_rth false.");
  }
}

interface PriceArgument {
  readonly price: Decimal | undefined;
  readonly wanted: boolean;
}

function checkPrice(name: string, orderType: OrderTypeName, { price, wanted }: PriceArgument): void {
  if (price === undefined && wanted) throw refuse(`A ${orderType} order needs ${name}.`, `Send ${name}.`);
  if (price !== undefined && !wanted)
    throw refuse(`A ${orderType} order takes no ${name}.`, `Leave ${name} out, or choose another order_type.`);
  if (price !== undefined && !price.isPositive()) throw refuse(`${name} must be greater than zero.`, `Send a positive ${name}.`);
}

/**
 * Refuses an order type that IBKR does not list, and a price between ticks. Lists that IBKR left out refuse nothing, and
 * quantities are IBKR's to judge. Throws `invalid_arguments`, for a price with its nearest valid neighbors.
 */
export function checkOrderRules(draft: OrderDraft, rules: TradingRules): void {
  const { orderType, outsideRth } = draft;
  if (rules.orderTypes?.includes(orderType) === false) {
    throw refuse(`IBKR takes no ${orderType} orders for ${draft.symbol}.`, `Use one of ${rules.orderTypes.join(", ")}.`);
  }
  if (outsideRth && rules.orderTypesOutsideRth?.includes(orderType) === false) {
    throw refuse(
      `A ${orderType} order in ${draft.symbol} can't be filled outside regular hours.`,
      `Order types that can: ${rules.orderTypesOutsideRth.join(", ")}. Or send outside_rth false.`,
    );
  }
  checkTick("limit_price", draft.limitPrice, { draft, rules });
  checkTick("stop_price", draft.stopPrice, { draft, rules });
}

/** Returns what IBKR's rules suggest about the quantity, one sentence each. IBKR decides, so these are warnings. */
export function orderNotices(draft: OrderDraft, rules: TradingRules): readonly string[] {
  const notice = draft.quantity.isInteger() ? lotNotice(draft, rules) : fractionNotice(draft, rules);
  return notice === undefined ? [] : [notice];
}

function lotNotice({ quantity, symbol }: OrderDraft, { sizeIncrement: step }: TradingRules): string | undefined {
  if (step === undefined || !step.isInteger() || quantity.isMultipleOf(step)) return undefined;
  return `IBKR lists ${symbol} in steps of ${step.toString()}. IBKR may take ${quantity.toString()} as an odd lot or refuse it.`;
}

function fractionNotice({ quantity, symbol, orderType }: OrderDraft, rules: TradingRules): string | undefined {
  const { fractionTypes: types, fractionPlaces: places } = rules;
  if (types === undefined) return `IBKR lists no fractions for ${symbol}. IBKR may refuse a quantity of ${quantity.toString()}.`;
  if (!types.includes(orderType)) return `IBKR lists fractions of ${symbol} for ${types.join(", ")}. IBKR may refuse ${orderType}.`;
  const isTooFine = places !== undefined && !quantity.round(places).equals(quantity);
  return isTooFine ? `IBKR lists at most ${places} decimals for ${symbol}. IBKR may refuse ${quantity.toString()}.` : undefined;
}

interface TickContext {
  readonly draft: OrderDraft;
  readonly rules: TradingRules;
}

function checkTick(name: string, price: Decimal | undefined, { draft, rules }: TickContext): void {
  const increment = price === undefined ? undefined : incrementAt(price, rules.priceIncrements);
  if (price === undefined || increment === undefined || price.isMultipleOf(increment)) return;
  const below = price.roundToStep(increment, "down");
  const nearest = [below, below.plus(increment)].filter((value) => value.isPositive());
  throw refuse(
    `${name} ${price.toString()} is not on the tick of ${draft.symbol}, which is ${increment.toString()} ${draft.currency} there.`,
    `Nearest valid prices: ${nearest.join(", ")}.`,
  );
}

function incrementAt(price: Decimal, increments: readonly PriceIncrement[] | undefined): Decimal | undefined {
  const step = increments?.findLast(({ lowerEdge }) => !lowerEdge.greaterThan(price));
  return step?.increment.isPositive() === true ? step.increment : undefined;
}

function refuse(message: string, whatToDo: string): GatewayError {
  return new GatewayError("invalid_arguments", message, { whatToDo });
}
