import { z } from "zod";

import type { Trade } from "../../broker/order.ts";
import type { ApiRequest } from "../transport.ts";
import { inCurrency, type PriceUnit, sideOf } from "./orders.ts";
import { decimal, integer, listOf, text } from "./reply.ts";

/** `GET /iserver/account/trades`, of the selected account. */
export function tradesRequest(days: number): ApiRequest {
  return { method: "GET", path: "/iserver/account/trades", endpoint: "/iserver/account/trades", query: { days: String(days) } };
}

/** Executions. */
export const tradesReply = listOf(
  z.looseObject({
    execution_id: text,
    order_id: text,
    order_ref: text,
    account: text,
    accountCode: text,
    conid: integer,
    symbol: text,
    side: text,
    size: decimal,
    price: decimal,
    commission: decimal,
    trade_time: text,
    trade_time_r: integer,
  }),
);

/** A row of the executions. */
export type TradeRow = z.output<typeof tradesReply>[number];

/** All that IBKR has told of one execution. */
export interface Execution {
  readonly row: TradeRow;
  /** Epoch ms of the first row. */
  readonly heardAt: number;
}

/** Returns the account of an execution's row. */
export function accountOf(row: TradeRow): string | undefined {
  return row.account ?? row.accountCode;
}

/** Returns the time of an execution, epoch ms: IBKR's, or else that of its first row. */
export function timeOf({ row, heardAt }: Execution): number {
  return writtenTime(row) ?? heardAt;
}

/**
 * Adds a further row of the same execution. Its fields count, fields that it lacks stay, and so does the earliest time. Rows of
 * two accounts are never mixed: the later one is all that is left.
 */
export function mergeExecution(known: Execution | undefined, told: Execution): Execution {
  if (known === undefined) return told;
  const accounts = [accountOf(known.row), accountOf(told.row)].filter((account) => account !== undefined);
  if (new Set(accounts).size > 1) return told;
  const written = [writtenTime(known.row), writtenTime(told.row)].filter((time) => time !== undefined);
  const filled = Object.fromEntries(Object.entries(told.row).filter(([, value]) => value !== undefined));
  const time = written.length === 0 ? undefined : Math.min(...written);
  return { row: { ...known.row, ...filled, trade_time_r: time }, heardAt: Math.min(known.heardAt, told.heardAt) };
}

/** Reads an execution into our terms; undefined when a part that we need is missing. */
export function toTrade(execution: Execution, unit: PriceUnit): Trade | undefined {
  const { row } = execution;
  const accountId = accountOf(row);
  const price = inCurrency(row.price, unit);
  if (row.execution_id === undefined || accountId === undefined || row.conid === undefined) return undefined;
  if (row.size === undefined || price === undefined) return undefined;
  return {
    executionId: row.execution_id,
    orderId: row.order_id,
    customerOrderId: row.order_ref,
    accountId,
    conid: row.conid,
    symbol: row.symbol,
    side: sideOf(row.side),
    quantity: row.size,
    price,
    commission: row.commission,
    currency: unit.currency,
    at: timeOf(execution),
    isTimeApproximate: writtenTime(row) === undefined,
  };
}

function writtenTime({ trade_time_r: stamp, trade_time: written }: TradeRow): number | undefined {
  if (stamp !== undefined) return stamp;
  // `20261123-15:16:02`, UTC.
  const parts = /^(\d{4})(\d{2})(\d{2})-(\d{2}):(\d{2}):(\d{2})$/.exec(written ?? "");
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
