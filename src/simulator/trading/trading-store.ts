import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { Decimal } from "../../lib/decimal.ts";
import { ORDER_KINDS, TIFS } from "./records.ts";
import type { Deposit, Execution, OrderState, Side, SimAccount, SimOrder, Trail } from "./records.ts";

const SCHEMA = `
  create table if not exists sim_account (
    id text primary key, title text not null, base_currency text not null, opened_at integer not null
  ) strict;
  create table if not exists sim_deposit (
    account_id text not null, currency text not null, amount text not null, at integer not null
  ) strict;
  create table if not exists sim_order (
    id integer primary key, account_id text not null, conid integer not null, side text not null, kind text not null,
    quantity text not null, limit_price text, stop_price text, tif text not null, outside_rth integer not null,
    client_order_id text, state text not null, triggered integer not null, arrived integer not null, filled text not null,
    filled_value text not null, commission text not null, placed_at integer not null, active_from integer not null,
    updated_at integer not null, expires_at integer, cancel_requested_at integer
  ) strict;
  create index if not exists sim_order_by_update on sim_order (account_id, updated_at);
  create index if not exists sim_order_by_client_order_id on sim_order (account_id, client_order_id, placed_at);
  create index if not exists sim_order_working on sim_order (id) where state = 'working';
  create table if not exists sim_execution (
    sequence integer primary key, execution_id text not null unique, account_id text not null, order_id integer,
    client_order_id text, conid integer not null, side text not null, quantity text not null, price text not null,
    amount text not null, commission text not null, currency text not null, exchanged_currency text, exchange text not null,
    at integer not null
  ) strict;
  create index if not exists sim_execution_by_time on sim_execution (account_id, at);
  create table if not exists sim_counter (name text primary key, value integer not null) strict;
`;

/** Columns that a state file of an earlier version lacks, in their order. */
const LATER_COLUMNS = ["trail_amount", "trail_unit", "good_till", "cash_quantity", "parent_order_id", "order_group", "held"];
const INTEGER_COLUMNS = new Set(["good_till", "parent_order_id", "held"]);

/** Most rows that one list of orders or executions answers: what IBKR gives at most. */
const MAX_ROWS = 1000;

/** Numbers that outlive a restart: the next order id, and how far time has been let pass. */
export type CounterName = "next_order_id" | "next_execution" | "advanced_to";

/** The brokerage's records in SQLite: accounts, deposits, orders and executions. Everything else is computed from them. */
export interface TradingStore {
  accounts(): readonly SimAccount[];
  deposits(accountId: string): readonly Deposit[];
  /** All executions of an account in their order. */
  everyExecution(accountId: string): Iterable<Execution>;
  /** The newest first, at most 1,000. */
  executions(accountId: string, since: number): readonly Execution[];
  order(id: number): SimOrder | undefined;
  /** The latest order of an account with this `cOID`. */
  orderByClientId(accountId: string, clientOrderId: string): SimOrder | undefined;
  /** All accounts' orders that still work, the oldest first. */
  workingOrders(): readonly SimOrder[];
  /** Working orders and those changed since `since`, the oldest first, at most 1,000. */
  orders(accountId: string, since: number): readonly SimOrder[];
  /** True when the account has placed an order with this `cOID` since `since`. */
  clientOrderIdUsed(accountId: string, clientOrderId: string, since: number): boolean;
  addAccount(account: SimAccount): void;
  addDeposit(deposit: Deposit): void;
  saveOrder(order: SimOrder): void;
  addExecution(execution: Execution): void;
  counter(name: CounterName): number | undefined;
  setCounter(name: CounterName, value: number): void;
  /** Runs `action` so that all of its writes are kept, or none. */
  atomically<T>(action: () => T): T;
}

type Row = Record<string, SQLOutputValue>;

/** Opens the brokerage's tables in a database, making them when they are missing. */
export function createTradingStore(database: DatabaseSync): TradingStore {
  database.exec(SCHEMA);
  addLaterColumns(database);
  const one = database.prepare("select * from sim_order where id = ?");
  const working = database.prepare("select * from sim_order where state = 'working' order by id");
  const recent = database.prepare(
    `select * from (select * from sim_order where account_id = ? and (state = 'working' or updated_at >= ?) order by id desc limit ${MAX_ROWS}) order by id`,
  );
  const used = database.prepare("select 1 from sim_order where account_id = ? and client_order_id = ? and placed_at > ? limit 1");
  const byClientId = database.prepare(
    "select * from sim_order where account_id = ? and client_order_id = ? order by placed_at desc, id desc limit 1",
  );
  const executed = database.prepare(
    `select * from sim_execution where account_id = ? and at >= ? order by at desc, sequence desc limit ${MAX_ROWS}`,
  );
  const allExecuted = database.prepare("select * from sim_execution where account_id = ? order by sequence");
  const save = database.prepare(`insert or replace into sim_order values (${placeholders(29)})`);
  const execute = database.prepare(
    `insert into sim_execution (execution_id, account_id, order_id, client_order_id, conid, side, quantity, price, amount,
      commission, currency, exchanged_currency, exchange, at) values (${placeholders(14)})`,
  );
  const readCounter = database.prepare("select value from sim_counter where name = ?");
  const writeCounter = database.prepare("insert or replace into sim_counter values (?, ?)");
  return {
    accounts: () => database.prepare("select * from sim_account order by id").all().map(accountOf),
    deposits: (accountId) => database.prepare("select * from sim_deposit where account_id = ? order by at").all(accountId).map(depositOf),
    everyExecution: (accountId) => mapped(allExecuted.iterate(accountId), executionOf),
    executions: (accountId, since) => executed.all(accountId, since).map(executionOf),
    order: (id) => {
      const row = one.get(id);
      return row === undefined ? undefined : orderOf(row);
    },
    orderByClientId: (accountId, clientOrderId) => {
      const row = byClientId.get(accountId, clientOrderId);
      return row === undefined ? undefined : orderOf(row);
    },
    workingOrders: () => working.all().map(orderOf),
    orders: (accountId, since) => recent.all(accountId, since).map(orderOf),
    clientOrderIdUsed: (accountId, clientOrderId, since) => used.get(accountId, clientOrderId, since) !== undefined,
    addAccount: (account) => {
      const values = [account.id, account.title, account.baseCurrency, account.openedAt];
      database.prepare(`insert into sim_account values (${placeholders(4)})`).run(...values);
    },
    addDeposit: (deposit) => {
      const values = [deposit.accountId, deposit.currency, deposit.amount.toString(), deposit.at];
      database.prepare(`insert into sim_deposit values (${placeholders(4)})`).run(...values);
    },
    saveOrder: (order) => void save.run(...orderValues(order)),
    addExecution: (execution) => void execute.run(...executionValues(execution)),
    counter: (name) => {
      const row = readCounter.get(name);
      return row === undefined ? undefined : integer(row, "value");
    },
    setCounter: (name, value) => void writeCounter.run(name, value),
    atomically: (action) => atomically(database, action),
  };
}

function addLaterColumns(database: DatabaseSync): void {
  const present = new Set(
    database
      .prepare("select name from pragma_table_info('sim_order')")
      .all()
      .map((row) => row["name"]),
  );
  for (const column of LATER_COLUMNS) {
    if (present.has(column)) continue;
    database.exec(`alter table sim_order add column ${column} ${INTEGER_COLUMNS.has(column) ? "integer" : "text"}`);
  }
}

function atomically<T>(database: DatabaseSync, action: () => T): T {
  if (database.isTransaction) return action();
  database.exec("begin immediate");
  try {
    const result = action();
    database.exec("commit");
    return result;
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}

function placeholders(count: number): string {
  return Array.from({ length: count }, () => "?").join(", ");
}

function* mapped<T>(rows: Iterable<Row>, read: (row: Row) => T): Iterable<T> {
  for (const row of rows) yield read(row);
}

function orderValues(order: SimOrder): (string | number | null)[] {
  return [
    order.id,
    order.accountId,
    order.conid,
    order.side,
    order.kind,
    order.quantity.toString(),
    order.limitPrice?.toString() ?? null,
    order.stopPrice?.toString() ?? null,
    order.tif,
    Number(order.outsideRth),
    order.clientOrderId ?? null,
    order.state,
    Number(order.triggered),
    Number(order.arrived),
    order.filled.toString(),
    order.filledValue.toString(),
    order.commission.toString(),
    order.placedAt,
    order.activeFrom,
    order.updatedAt,
    order.expiresAt ?? null,
    order.cancelRequestedAt ?? null,
    order.trail?.amount.toString() ?? null,
    order.trail?.unit ?? null,
    order.goodTill ?? null,
    order.cashQuantity?.toString() ?? null,
    order.parentOrderId ?? null,
    order.group ?? null,
    Number(order.held === true),
  ];
}

function executionValues(execution: Execution): (string | number | null)[] {
  return [
    execution.executionId,
    execution.accountId,
    execution.orderId ?? null,
    execution.clientOrderId ?? null,
    execution.conid,
    execution.side,
    execution.quantity.toString(),
    execution.price.toString(),
    execution.amount.toString(),
    execution.commission.toString(),
    execution.currency,
    execution.exchangedCurrency ?? null,
    execution.exchange,
    execution.at,
  ];
}

function accountOf(row: Row): SimAccount {
  return { id: text(row, "id"), title: text(row, "title"), baseCurrency: text(row, "base_currency"), openedAt: integer(row, "opened_at") };
}

function depositOf(row: Row): Deposit {
  return { accountId: text(row, "account_id"), currency: text(row, "currency"), amount: decimal(row, "amount"), at: integer(row, "at") };
}

function orderOf(row: Row): SimOrder {
  return {
    id: integer(row, "id"),
    accountId: text(row, "account_id"),
    conid: integer(row, "conid"),
    side: sideOf(row),
    kind: memberOf(ORDER_KINDS, text(row, "kind")),
    quantity: decimal(row, "quantity"),
    limitPrice: optionalDecimal(row, "limit_price"),
    stopPrice: optionalDecimal(row, "stop_price"),
    tif: memberOf(TIFS, text(row, "tif")),
    outsideRth: integer(row, "outside_rth") === 1,
    clientOrderId: optionalText(row, "client_order_id"),
    state: memberOf<OrderState>(["working", "filled", "cancelled", "inactive"], text(row, "state")),
    triggered: integer(row, "triggered") === 1,
    arrived: integer(row, "arrived") === 1,
    filled: decimal(row, "filled"),
    filledValue: decimal(row, "filled_value"),
    commission: decimal(row, "commission"),
    placedAt: integer(row, "placed_at"),
    activeFrom: integer(row, "active_from"),
    updatedAt: integer(row, "updated_at"),
    expiresAt: optionalInteger(row, "expires_at"),
    cancelRequestedAt: optionalInteger(row, "cancel_requested_at"),
    ...laterTerms(row),
  };
}

/** What only some orders have; left out where an order has it not. */
function laterTerms(row: Row): Partial<SimOrder> {
  const trail = trailOf(row);
  const goodTill = optionalInteger(row, "good_till");
  const cashQuantity = optionalDecimal(row, "cash_quantity");
  const parentOrderId = optionalInteger(row, "parent_order_id");
  const group = optionalText(row, "order_group");
  return {
    ...(trail === undefined ? {} : { trail }),
    ...(goodTill === undefined ? {} : { goodTill }),
    ...(cashQuantity === undefined ? {} : { cashQuantity }),
    ...(parentOrderId === undefined ? {} : { parentOrderId }),
    ...(group === undefined ? {} : { group }),
    ...(optionalInteger(row, "held") === 1 ? { held: true } : {}),
  };
}

function trailOf(row: Row): Trail | undefined {
  const amount = optionalDecimal(row, "trail_amount");
  return amount === undefined ? undefined : { amount, unit: memberOf(["amt", "%"], text(row, "trail_unit")) };
}

function executionOf(row: Row): Execution {
  return {
    executionId: text(row, "execution_id"),
    accountId: text(row, "account_id"),
    orderId: optionalInteger(row, "order_id"),
    clientOrderId: optionalText(row, "client_order_id"),
    conid: integer(row, "conid"),
    side: sideOf(row),
    quantity: decimal(row, "quantity"),
    price: decimal(row, "price"),
    amount: decimal(row, "amount"),
    commission: decimal(row, "commission"),
    currency: text(row, "currency"),
    exchangedCurrency: optionalText(row, "exchanged_currency"),
    exchange: text(row, "exchange"),
    at: integer(row, "at"),
  };
}

function sideOf(row: Row): Side {
  return memberOf<Side>(["BUY", "SELL"], text(row, "side"));
}

function memberOf<T extends string>(members: readonly T[], value: string): T {
  const member = members.find((candidate) => candidate === value);
  if (member === undefined) throw new TypeError(`unexpected value in the database: ${value}`);
  return member;
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`column ${column} holds no text`);
  return value;
}

function optionalText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new TypeError(`column ${column} holds no integer`);
  return value;
}

function optionalInteger(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : integer(row, column);
}

function decimal(row: Row, column: string): Decimal {
  return Decimal.parse(text(row, column));
}

function optionalDecimal(row: Row, column: string): Decimal | undefined {
  return row[column] === null ? undefined : decimal(row, column);
}
