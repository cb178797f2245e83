/** Orders and executions as IBKR lists them. */
import type { Order, Trade } from "../../src/broker/order.ts";
import { Decimal } from "../../src/lib/decimal.ts";

/** An order as IBKR lists it. */
export function listedOrder(change: Partial<Order> = {}): Order {
  return {
    orderId: "7",
    accountId: "DU1234567",
    conid: 265598,
    symbol: "AAPL",
    secType: "STK",
    side: "BUY",
    orderType: "LMT",
    status: "Submitted",
    statusDescription: undefined,
    quantity: Decimal.fromInteger(10),
    filledQuantity: undefined,
    remainingQuantity: undefined,
    limitPrice: undefined,
    stopPrice: undefined,
    averagePrice: undefined,
    currency: "USD",
    timeInForce: "DAY",
    outsideRth: false,
    customerOrderId: undefined,
    lastUpdateAt: undefined,
    ...change,
  };
}

/** An execution as IBKR lists it. */
export function listedTrade(change: Partial<Trade> = {}): Trade {
  return {
    executionId: "0001",
    orderId: "7",
    customerOrderId: undefined,
    accountId: "DU1234567",
    conid: 265598,
    symbol: "AAPL",
    side: "BUY",
    quantity: Decimal.fromInteger(10),
    price: Decimal.fromInteger(230),
    commission: undefined,
    currency: "USD",
    at: 0,
    isTimeApproximate: false,
    ...change,
  };
}
