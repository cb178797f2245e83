import { Decimal } from "../../lib/decimal.ts";
import { amountOf, decimalsOf } from "./amounts.ts";
import { commissionOf } from "./commission.ts";
import { marginOf } from "./margin.ts";
import { grouped } from "./number-text.ts";
import { NO_DATA } from "./order-questions.ts";
import { expectedPrice } from "./order-refusals.ts";
import type { OrderContext } from "./order-refusals.ts";
import type { Ticket } from "./records.ts";
import { marginInput } from "./valuation.ts";

/** Builds the answer of the preview (reference F.3): all text, amounts of the account in whole units of its base currency. */
export function whatIfAnswer(ticket: Ticket, { context, refusal }: { context: OrderContext; refusal: string | undefined }): unknown {
  const { instrument, valuation, market, now } = context;
  const { currency } = instrument;
  const amount = amountOf(instrument, expectedPrice(ticket, market, now), ticket.quantity);
  const commission = commissionOf(instrument, ticket.quantity, amount);
  const total = ticket.side === "BUY" ? amount.plus(commission) : amount.minus(commission);
  const rate = market.rate(currency, valuation.account.baseCurrency, now);
  const before = valuation.holdings.find(({ position }) => position.conid === ticket.conid)?.position.quantity ?? Decimal.zero;
  const change = ticket.side === "BUY" ? ticket.quantity : ticket.quantity.negated();
  const input = marginInput(market, instrument, now);
  const margin =
    instrument.secType === "CASH" ? Decimal.zero : marginOf(input, before.plus(change)).minus(marginOf(input, before)).times(rate);
  // An option isn't lent against, so what it costs leaves the equity.
  const premium = instrument.secType !== "OPT" ? Decimal.zero : ticket.side === "BUY" ? amount.negated() : amount;
  const equity = premium.minus(commission).times(rate);
  // In IBKR's form the level of the warning stands before its text.
  const warn = instrument.availability === "none" ? `21/${NO_DATA}` : null;
  return {
    amount: {
      amount: `${grouped(amount, 2)} ${currency} (${unitsText(ticket, context)})`,
      commission: `${commission.toString()} ${currency}`,
      total: `${grouped(total, 2)} ${currency}`,
    },
    equity: beforeAndAfter(valuation.equityWithLoan, equity),
    initial: beforeAndAfter(valuation.initialMargin, margin),
    maintenance: beforeAndAfter(valuation.maintenanceMargin, margin),
    position: { current: quantityText(before), change: quantityText(change), after: quantityText(before.plus(change)) },
    warn,
    error: refusal ?? null,
  };
}

function unitsText(ticket: Ticket, { instrument }: OrderContext): string {
  const word = { OPT: "Contract", CASH: "Unit", STK: "Share", IND: "Unit", FUT: "Contract" }[instrument.secType];
  return `${ticket.quantity.toString()} ${word}${ticket.quantity.equals(Decimal.one) ? "" : "s"}`;
}

function quantityText(value: Decimal): string {
  return grouped(value, decimalsOf(value));
}

/** An amount before and after, rounded so that the three agree. */
function beforeAndAfter(current: Decimal, change: Decimal): { current: string; change: string; after: string } {
  const from = current.round(0);
  const to = current.plus(change).round(0);
  return { current: grouped(from), change: grouped(to.minus(from)), after: grouped(to) };
}
