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
 * Checks an order against what IBKR accepts for its instrument: order type, hours, fractions and ticks.
 * Throws `invalid_arguments`; a price between ticks is told with its nearest valid neighbours.
 */
export function checkOrderRules(draft: OrderDraft, rules: TradingRules): void {
  const { orderType, outsideRth } = draft;
  if (!rules.orderTypes.includes(orderType)) {
    throw refuse(`IBKR takes no ${orderType} orders for ${draft.symbol}.`, `Use one of ${rules.orderTypes.join(", ")}.`);
  }
  if (outsideRth && !rules.orderTypesOutsideRth.includes(orderType)) {
    const allowed = rules.orderTypesOutsideRth.length === 0 ? "none" : rules.orderTypesOutsideRth.join(", ");
    throw refuse(
      `A ${orderType} order in ${draft.symbol} can't be filled outside regular hours.`,
      `Order types that can: ${allowed}. Or send outside_rth false.`,
    );
  }
  checkQuantity(draft, rules);
  checkTick("limit_price", draft.limitPrice, { draft, rules });
  checkTick("stop_price", draft.stopPrice, { draft, rules });
}

function checkQuantity(draft: OrderDraft, rules: TradingRules): void {
  const { quantity } = draft;
  if (!rules.fractionsAllowed && !quantity.isInteger()) {
    throw refuse(
      `${draft.symbol} can't be traded in fractions of a share.`,
      `Send a whole number, such as ${quantity.round(0, "up").toString()}.`,
    );
  }
  const step = rules.sizeIncrement;
  // A fraction is checked by IBKR; whole quantities follow the instrument's lot step.
  if (quantity.isInteger() && step.isPositive() && step.isInteger() && !quantity.isMultipleOf(step)) {
    const below = quantity.roundToStep(step, "down");
    const nearest = [below, below.plus(step)].filter((value) => value.isPositive());
    throw refuse(`${draft.symbol} trades in steps of ${step.toString()}.`, `Nearest quantities: ${nearest.join(", ")}.`);
  }
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

function incrementAt(price: Decimal, increments: readonly PriceIncrement[]): Decimal | undefined {
  const step = increments.findLast(({ lowerEdge }) => !lowerEdge.greaterThan(price));
  return step?.increment.isPositive() === true ? step.increment : undefined;
}

function refuse(message: string, whatToDo: string): GatewayError {
  return new GatewayError("invalid_arguments", message, { whatToDo });
}
