import { afterAll, beforeAll, expect, test } from "vitest";

import { startTradingStack, type TradingStack } from "../../test/support/trading-stack.ts";
import { isRecord } from "../lib/json.ts";
import { tool as getTrades } from "./get-trades.ts";

let stack: TradingStack;

beforeAll(async () => {
  stack = await startTradingStack();
});

afterAll(() => stack.close());

test("C2: says which times are approximate, and nothing of it where IBKR sent them all", async () => {
  const exact = await stack.complete(getTrades, {});
  expect(exact["columns"]).not.toContain("at_is_approximate");
  let rows = 0;
  stack.setNetwork(async (url, _init, pass) => {
    const response = await pass();
    if (!new URL(url).pathname.endsWith("/iserver/account/trades")) return response;
    const list: unknown = await response.json();
    // One that the stream has not told of, or its time would be known.
    rows = Array.isArray(list) ? list.length : 0;
    return Response.json(Array.isArray(list) ? list.map((row, index) => (index === 0 ? unheard(row) : row)) : list);
  });
  stack.clock.jump(6000);
  const { columns, rows: table } = await stack.complete(getTrades, { days: 6 });
  expect(rows).toBeGreaterThan(1);
  const column = Array.isArray(columns) ? columns.indexOf("at_is_approximate") : -1;
  const flags = Array.isArray(table) ? table.map((row) => (Array.isArray(row) ? row[column] : undefined)) : [];
  expect(flags.filter((flag) => flag === true)).toHaveLength(1);
  expect(flags.filter((flag) => flag === false)).toHaveLength(rows);
});

function unheard(row: unknown): unknown {
  if (!isRecord(row)) return row;
  const { trade_time: _text, trade_time_r: _stamp, ...rest } = row;
  return { ...rest, execution_id: "unheard" };
}
