import { z } from "zod";

import { ORDER_STATUS_NAMES } from "../../broker/order.ts";
import type { MarginChange, Order, OrderPreview, OrderSide, OrderStatusName, OrderTicket } from "../../broker/order.ts";
import type { Decimal } from "../../lib/decimal.ts";
import { rawNumber } from "../../lib/json.ts";
import { currencyOf, parseNumber } from "../numbers.ts";
import type { ApiRequest } from "../transport.ts";
import { orderTypeOf, wireOrderType } from "./codes.ts";
import { decimal, flag, integer, listOf, text } from "./reply.ts";

/** In what a contract's prices are quoted: its currency, and by what they exceed it. */
export interface PriceUnit {
  readonly currency: string | undefined;
  readonly magnifier: Decimal | undefined;
}

/** `POST /iserver/account/{id}/orders`: places one order. */
export function placeRequest(ticket: OrderTicket, unit: PriceUnit): ApiRequest {
  return orderRequest(ticket, unit, "orders");
}

/** `POST /iserver/account/{id}/orders/whatif`: places nothing. */
export function whatIfRequest(ticket: OrderTicket, unit: PriceUnit): ApiRequest {
  return orderRequest(ticket, unit, "orders/whatif");
}

/** `POST /iserver/reply/{id}`: answers a question. */
export function replyRequest(replyId: string, confirmed: boolean): ApiRequest {
  return {
    method: "POST",
    path: `/iserver/reply/${encodeURIComponent(replyId)}`,
    endpoint: "/iserver/reply/{replyId}",
    body: { confirmed },
  };
}

/** `DELETE /iserver/account/{id}/order/{orderId}`. */
export function cancelRequest(accountId: string, orderId: string): ApiRequest {
  const path = `/iserver/account/${encodeURIComponent(accountId)}/order/${encodeURIComponent(orderId)}`;
  return { method: "DELETE", path, endpoint: "/iserver/account/{accountId}/order/{orderId}" };
}

/** `GET /iserver/account/orders` of one account, unfiltered: filters can empty the answer wrongly. */
export function liveOrdersRequest(accountId: string): ApiRequest {
  return { method: "GET", path: "/iserver/account/orders", endpoint: "/iserver/account/orders", query: { accountId } };
}

/** `GET /iserver/account/orders?force=true`: makes IBKR fetch the orders again. Its own response is empty. */
export function refreshOrdersRequest(accountId: string): ApiRequest {
  const request = liveOrdersRequest(accountId);
  return { ...request, query: { ...request.query, force: "true" } };
}

/** `GET /iserver/account/order/status/{orderId}`, of the selected account. */
export function orderStatusRequest(orderId: string): ApiRequest {
  const path = `/iserver/account/order/status/${encodeURIComponent(orderId)}`;
  return { method: "GET", path, endpoint: "/iserver/account/order/status/{orderId}" };
}

function orderRequest(ticket: OrderTicket, unit: PriceUnit, what: "orders" | "orders/whatif"): ApiRequest {
  const quoted = (price: Decimal | undefined) => {
    if (price === undefined) return undefined;
    return rawNumber((unit.magnifier === undefined ? price : price.times(unit.magnifier)).toString());
  };
  // IBKR takes a plain stop's price as `price`, and only a stop limit's as `auxPrice`.
  const price = ticket.orderType === "STP" ? ticket.stopPrice : ticket.orderType === "MKT" ? undefined : ticket.limitPrice;
  const order = {
    acctId: ticket.accountId,
    conid: ticket.conid,
    orderType: wireOrderType(ticket.orderType),
    side: ticket.side,
    quantity: rawNumber(ticket.quantity.toString()),
    tif: ticket.timeInForce,
    outsideRTH: ticket.outsideRth,
    price: quoted(price),
    auxPrice: quoted(ticket.orderType === "STP_LIMIT" ? ticket.stopPrice : undefined),
    // A what-if must not use up the id: it is good for one order in 24 hours.
    cOID: what === "orders" ? ticket.customerOrderId : undefined,
  };
  const path = `/iserver/account/${encodeURIComponent(ticket.accountId)}/${what}`;
  return { method: "POST", path, endpoint: `/iserver/account/{accountId}/${what}`, body: { orders: [order] } };
}

const liveOrder = z.looseObject({
  orderId: text,
  account: text,
  acct: text,
  conid: integer,
  ticker: text,
  secType: text,
  side: text,
  orderType: text,
  origOrderType: text,
  status: text,
  orderDesc: text,
  totalSize: decimal,
  filledQuantity: decimal,
  remainingQuantity: decimal,
  price: decimal,
  auxPrice: decimal,
  stop_price: decimal,
  avgPrice: decimal,
  timeInForce: text,
  outsideRTH: flag,
  order_ref: text,
  lastExecutionTime_r: integer,
});

/** A row of the live orders. */
export type LiveOrder = z.output<typeof liveOrder>;

/** The fields of a live order that we read. */
export const LIVE_ORDER_FIELDS: readonly string[] = Object.keys(liveOrder.shape);

/** Live orders. The first read of a session is empty with `snapshot` false; a list with rows can say false, too. */
export const liveOrdersReply = z.looseObject({ orders: listOf(liveOrder), snapshot: flag });

/** Reads a live order into our terms; undefined without an id, a contract or an account. */
export function toOrder(row: LiveOrder, unit: PriceUnit): Order | undefined {
  const accountId = row.account ?? row.acct;
  if (row.orderId === undefined || row.conid === undefined || accountId === undefined) return undefined;
  const orderType = orderTypeOf(row.origOrderType) ?? orderTypeOf(row.orderType) ?? row.orderType ?? "";
  const stop = row.stop_price ?? row.auxPrice;
  return {
    orderId: row.orderId,
    accountId,
    conid: row.conid,
    symbol: row.ticker,
    secType: row.secType,
    side: sideOf(row.side),
    orderType,
    status: statusOf(row.status),
    statusDescription: row.orderDesc,
    quantity: row.totalSize,
    filledQuantity: row.filledQuantity,
    remainingQuantity: row.remainingQuantity,
    limitPrice: orderType === "STP" || orderType === "MKT" ? undefined : inCurrency(row.price, unit),
    stopPrice: inCurrency(orderType === "STP" ? (stop ?? row.price) : orderType === "LMT" || orderType === "MKT" ? undefined : stop, unit),
    averagePrice: inCurrency(row.avgPrice, unit),
    currency: unit.currency,
    timeInForce: timeInForceOf(row.timeInForce),
    outsideRth: row.outsideRTH,
    customerOrderId: row.order_ref,
    lastUpdateAt: row.lastExecutionTime_r,
  };
}

/** IBKR lists an order of the day, once it is filled, as `CLOSE`. */
function timeInForceOf(given: string | undefined): string | undefined {
  return given === "CLOSE" ? "DAY" : given;
}

/** One order's status. */
export const orderStatusReply = z.looseObject({
  order_id: text,
  account: text,
  conid: integer,
  symbol: text,
  sec_type: text,
  side: text,
  order_type: text,
  order_status: text,
  order_status_description: text,
  total_size: decimal,
  cum_fill: decimal,
  size: decimal,
  limit_price: decimal,
  stop_price: decimal,
  average_price: decimal,
  currency: text,
  tif: text,
  outside_rth: flag,
  order_ref: text,
  order_time: text,
});

/** Reads an order's status into our terms; undefined when it is incomplete. */
export function toOrderOfStatus(row: z.output<typeof orderStatusReply>, unit: PriceUnit): Order | undefined {
  if (row.order_id === undefined || row.conid === undefined || row.account === undefined || row.order_status === undefined)
    return undefined;
  const orderType = orderTypeOf(row.order_type) ?? row.order_type ?? "";
  return {
    orderId: row.order_id,
    accountId: row.account,
    conid: row.conid,
    symbol: row.symbol,
    secType: row.sec_type,
    side: sideOf(row.side),
    orderType,
    status: statusOf(row.order_status),
    statusDescription: row.order_status_description,
    quantity: row.total_size,
    filledQuantity: row.cum_fill,
    remainingQuantity: row.size,
    limitPrice: orderType === "STP" || orderType === "MKT" ? undefined : inCurrency(row.limit_price, unit),
    stopPrice: inCurrency(row.stop_price, unit),
    averagePrice: inCurrency(row.average_price, unit),
    currency: unit.currency ?? row.currency,
    timeInForce: row.tif,
    outsideRth: row.outside_rth,
    customerOrderId: row.order_ref,
    lastUpdateAt: timeOf(row.order_time),
  };
}

const change = z.looseObject({ current: decimal, change: decimal, after: decimal }).optional().catch(undefined);

/** What-if of an order. */
export const whatIfReply = z.looseObject({
  amount: z.looseObject({ amount: text, commission: text, total: text }).optional().catch(undefined),
  equity: change,
  initial: change,
  maintenance: change,
  position: change,
  warn: text,
  warns: listOf(text),
  error: text,
  errors: listOf(text),
});

/** Reads a what-if into our terms. */
export function toPreview(reply: z.output<typeof whatIfReply>): OrderPreview {
  const warnings = [reply.warn, ...reply.warns].filter((warning) => warning !== undefined).map(oneLine);
  return {
    amount: parseNumber(reply.amount?.amount),
    amountCurrency: currencyOf(reply.amount?.amount) ?? currencyOf(reply.amount?.total),
    commission: reply.amount?.commission,
    total: parseNumber(reply.amount?.total),
    equity: marginOf(reply.equity),
    initialMargin: marginOf(reply.initial),
    maintenanceMargin: marginOf(reply.maintenance),
    position: marginOf(reply.position),
    warnings: [...new Set(warnings)],
    error: reply.error ?? reply.errors.find((error) => error !== undefined),
  };
}

/** Reads an order's state in any spelling (`PreSubmitted`, `pre_submitted`); `Unknown` for one that we don't know. */
export function statusOf(value: string | undefined): OrderStatusName {
  return ORDER_STATUS_NAMES.find((status) => value !== undefined && plain(status) === plain(value)) ?? "Unknown";
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_]/g, "");
}

function marginOf(value: MarginChange | undefined): MarginChange {
  return { current: value?.current, change: value?.change, after: value?.after };
}

/** IBKR's texts hold line breaks in the middle of sentences. */
export function oneLine(message: string): string {
  return message.replaceAll(/\s+/g, " ").trim();
}

/** Reads a side in any spelling, such as `B` and `Sell`. */
export function sideOf(value: string | undefined): OrderSide | undefined {
  const letter = value?.slice(0, 1).toUpperCase();
  return letter === "B" ? "BUY" : letter === "S" ? "SELL" : undefined;
}

/** Converts a quoted price to the contract's currency. */
export function inCurrency(price: Decimal | undefined, unit: PriceUnit): Decimal | undefined {
  return price === undefined || unit.magnifier === undefined ? price : price.dividedBy(unit.magnifier);
}

/** `261123151500` (UTC) as epoch ms. */
function timeOf(compact: string | undefined): number | undefined {
  const parts = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(compact ?? "");
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return Date.UTC(2000 + year, month - 1, day, hour, minute, second);
}
