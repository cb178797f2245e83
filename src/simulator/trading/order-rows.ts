import type { Decimal } from "../../lib/decimal.ts";
import type { Market, SimInstrument } from "../market/market.ts";
import { decimalsOf, priceText, tickOf } from "./amounts.ts";
import { number, withDecimal } from "./number-text.ts";
import { orderStatus } from "./order-status.ts";
import { KIND_NAMES, contractText, listingText, orderText } from "./order-text.ts";
import type { Execution, SimOrder } from "./records.ts";

/** Decimals of an average price beyond those of a tick. */
const AVERAGE_DECIMALS = 4;

/** What a row of an order is made from. */
export interface RowContext {
  readonly market: Market;
  readonly instrument: SimInstrument;
  readonly now: number;
}

/** One row of live orders (reference F.6). `orderId` is a number here, sizes are numbers, prices text. */
export function liveOrderRow(order: SimOrder, { market, instrument, now }: RowContext): Readonly<Record<string, unknown>> {
  const status = orderStatus(order, market, now);
  const average = averagePrice(order, instrument);
  return {
    acct: order.accountId,
    conidex: String(order.conid),
    conid: order.conid,
    account: order.accountId,
    orderId: order.id,
    cashCcy: instrument.currency,
    sizeAndFills: `${order.filled.toString()}/${order.quantity.toString()}`,
    orderDesc: orderText(order, instrument, contractText(instrument)),
    description1: contractText(instrument),
    ticker: instrument.symbol,
    secType: instrument.secType,
    listingExchange: listingText(instrument),
    remainingQuantity: number(order.quantity.minus(order.filled)),
    filledQuantity: number(order.filled),
    totalSize: number(order.quantity),
    companyName: instrument.name,
    status,
    order_ccp_status: status,
    outsideRTH: order.outsideRth,
    origOrderType: KIND_NAMES[order.kind].original,
    supportsTaxOpt: "1",
    lastExecutionTime: compactTime(order.updatedAt),
    orderType: KIND_NAMES[order.kind].shown,
    bgColor: "#000000",
    fgColor: status === "Filled" || status === "Cancelled" ? "#AAAAAA" : "#00F000",
    isEventTrading: "0",
    price: order.limitPrice === undefined ? "" : priceText(instrument, order.limitPrice),
    ...(order.stopPrice === undefined ? {} : stopFields(priceText(instrument, order.stopPrice))),
    ...(average === undefined ? {} : { avgPrice: average }),
    ...(order.clientOrderId === undefined ? {} : { order_ref: order.clientOrderId }),
    ...(order.parentOrderId === undefined ? {} : { parentId: order.parentOrderId }),
    ...(order.group === undefined ? {} : { ocaGroupId: order.group }),
    timeInForce: order.state === "filled" && order.tif === "DAY" ? "CLOSE" : order.tif,
    lastExecutionTime_r: order.updatedAt,
    side: order.side,
  };
}

function stopFields(price: string): Readonly<Record<string, string>> {
  return { auxPrice: price, stop_price: price };
}

/** The answer of order status (reference F.7). `order_id` is a number, sizes and prices are text. */
export function orderStatusRow(order: SimOrder, { market, instrument, now }: RowContext): Readonly<Record<string, unknown>> {
  const status = orderStatus(order, market, now);
  const average = averagePrice(order, instrument);
  const description = orderText(order, instrument);
  const price = order.limitPrice ?? order.stopPrice;
  const done = order.state !== "working";
  return {
    sub_type: null,
    request_id: String(order.id % 1000),
    server_id: "0",
    order_id: order.id,
    conidex: String(order.conid),
    conid: order.conid,
    symbol: instrument.symbol,
    side: order.side === "BUY" ? "B" : "S",
    contract_description_1: contractText(instrument),
    listing_exchange: listingText(instrument),
    option_acct: "c",
    company_name: instrument.name,
    size: withDecimal(order.quantity.minus(order.filled)),
    total_size: withDecimal(order.quantity),
    currency: instrument.currency,
    account: order.accountId,
    order_type: KIND_NAMES[order.kind].original,
    ...(order.limitPrice === undefined ? {} : { limit_price: priceText(instrument, order.limitPrice) }),
    ...(order.stopPrice === undefined ? {} : { stop_price: priceText(instrument, order.stopPrice) }),
    cum_fill: withDecimal(order.filled),
    order_status: status,
    order_ccp_status: order.state === "filled" ? "2" : "0",
    order_status_description: `Order ${status}`,
    tif: order.tif,
    fg_color: "#FFFFFF",
    bg_color: "#000000",
    order_not_editable: done,
    editable_fields: "\u001E",
    cannot_cancel_order: done,
    outside_rth: order.outsideRth,
    deactivate_order: false,
    sec_type: instrument.secType,
    available_chart_periods: "#R|1",
    order_description: description,
    order_description_with_contract: orderText(order, instrument, contractText(instrument)),
    alert_active: 1,
    child_order_type: "0",
    order_clearing_account: order.accountId,
    size_and_fills: `${order.filled.toString()}/${order.quantity.toString()}`,
    ...(price === undefined ? {} : { exit_strategy_display_price: priceText(instrument, price) }),
    exit_strategy_chart_description: description,
    ...(average === undefined ? {} : { average_price: average }),
    exit_strategy_tool_availability: "1",
    allowed_duplicate_opposite: true,
    order_time: compactTime(order.placedAt),
  };
}

/** One row of trades (reference F.8). Times are UTC. */
export function tradeRow(execution: Execution, instrument: SimInstrument, userName: string): Readonly<Record<string, unknown>> {
  const bought = execution.side === "BUY";
  const price = priceText(instrument, execution.price);
  const contract = contractText(instrument);
  return {
    execution_id: execution.executionId,
    symbol: instrument.symbol,
    supports_tax_opt: "1",
    side: bought ? "B" : "S",
    order_description: `${bought ? "Bought" : "Sold"} ${execution.quantity.toString()} @ ${price} on ${execution.exchange}`,
    trade_time: tradeTime(execution.at),
    trade_time_r: execution.at,
    size: number(execution.quantity),
    price,
    ...(execution.clientOrderId === undefined ? {} : { order_ref: execution.clientOrderId }),
    submitter: userName,
    exchange: execution.exchange,
    commission: withDecimal(execution.commission),
    net_amount: number(execution.amount),
    account: execution.accountId,
    accountCode: execution.accountId,
    account_allocation_name: execution.accountId,
    company_name: instrument.name,
    contract_description_1: contract,
    sec_type: instrument.secType,
    listing_exchange: listingText(instrument),
    conid: execution.conid,
    conidEx: String(execution.conid),
    clearing_id: "IB",
    clearing_name: "IB",
    liquidation_trade: "0",
    is_event_trading: "0",
    ...(execution.orderId === undefined ? {} : { order_id: execution.orderId }),
  };
}

/**
 * The two rows by which the stream tells of a fill: the first with time and order id, the second with commission, amount and the
 * client's id, without a time.
 */
export function fillRows(
  execution: Execution,
  instrument: SimInstrument,
  userName: string,
): readonly [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>] {
  const row = tradeRow(execution, instrument, userName);
  const pick = (names: readonly string[]) => Object.fromEntries(names.flatMap((name) => (name in row ? [[name, row[name]]] : [])));
  return [pick([...FILL_FIELDS, "trade_time", "trade_time_r", "order_id"]), pick([...FILL_FIELDS, ...SETTLED_FIELDS])];
}

const FILL_FIELDS = ["execution_id", "symbol", "side", "size", "price", "account", "accountCode", "conid"];
const SETTLED_FIELDS = ["order_ref", "exchange", "commission", "net_amount"];

function averagePrice(order: SimOrder, instrument: SimInstrument): string | undefined {
  if (order.filled.isZero()) return undefined;
  const decimals = Math.max(AVERAGE_DECIMALS, decimalsOf(tickOf(instrument, order.filledValue)));
  const average: Decimal = order.filledValue.dividedBy(order.filled, decimals);
  return priceText(instrument, average);
}

/** `YYMMDDHHmmss`, UTC. */
function compactTime(at: number): string {
  return new Date(at).toISOString().slice(2, 19).replace(/\D/g, "");
}

/** `YYYYMMDD-HH:mm:ss`, UTC. */
function tradeTime(at: number): string {
  const iso = new Date(at).toISOString();
  return `${iso.slice(0, 10).replaceAll("-", "")}-${iso.slice(11, 19)}`;
}
