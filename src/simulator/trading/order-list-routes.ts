import { withListFaults } from "../control/list-faults.ts";
import { failure, ok } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import { accountsNamed, afterAccounts, invalidAccount } from "./order-access.ts";
import { liveOrderRow, orderStatusRow, tradeRow } from "./order-rows.ts";
import { orderStatus } from "./order-status.ts";
import { tradingDay } from "./trading-day.ts";

const ONCE_IN_5_SECONDS = { requests: 1, perMs: 5000 };
const DAY_MS = 86_400_000;
const MAX_TRADE_DAYS = 7;
/** What live orders answer before they are primed, and to `force=true`. */
const NOT_READY = { orders: [], snapshot: false };

/** Live orders, order status and trades (reference F.6 to F.8). */
export const orderListRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/iserver/account/orders",
    tier: "brokerage",
    pacing: ONCE_IN_5_SECONDS,
    primes: true,
    handle: afterAccounts(withListFaults(listOrders)),
  },
  { method: "GET", path: "/iserver/account/order/status/{orderId}", tier: "brokerage", handle: afterAccounts(statusOfOrder) },
  {
    method: "GET",
    path: "/iserver/account/trades",
    tier: "brokerage",
    pacing: ONCE_IN_5_SECONDS,
    primes: true,
    handle: afterAccounts(withListFaults(listTrades)),
  },
];

function listOrders(request: SimRequest, session: Session, simulation: Simulation): SimReply {
  const { brokerage } = session;
  const accountId = request.query.get("accountId") ?? brokerage.selectedAccountId;
  const accounts = accountsNamed(session, accountId);
  if (accounts === undefined) return invalidAccount(accountId);
  const forced = request.query.get("force") === "true";
  const wanted = filtersOf(request.query);
  if (forced) brokerage.ordersMuted = false;
  else if (wanted.size > 0) brokerage.ordersMuted = true;
  if (forced || !brokerage.ordersPrimed) {
    brokerage.ordersPrimed = true;
    return ok(NOT_READY);
  }
  const { market, trading } = simulation;
  const orders = accounts.flatMap((each) => trading.orders(each, tradingDay(request.now).startsAt));
  const shown = orders.filter((order) => wanted.size === 0 || wanted.has(plain(orderStatus(order, market, request.now))));
  const rows = shown.toReversed().flatMap((order) => {
    const instrument = market.instrument(order.conid);
    return instrument === undefined ? [] : [liveOrderRow(order, { market, instrument, now: request.now })];
  });
  return ok({ orders: rows, snapshot: true });
}

/** The states asked for, without their case and underscores; `sort_by_time` is no state, and the order of time is kept anyway. */
function filtersOf(query: URLSearchParams): ReadonlySet<string> {
  const names = query.getAll("filters").flatMap((value) => value.split(","));
  return new Set(names.map(plain).filter((name) => name !== "" && name !== "sortbytime"));
}

function plain(name: string): string {
  return name.trim().toLowerCase().replaceAll("_", "");
}

function statusOfOrder(request: SimRequest, session: Session, { market, trading }: Simulation): SimReply {
  const orderId = Number(request.params["orderId"]);
  const order = Number.isSafeInteger(orderId) ? trading.order(orderId) : undefined;
  const instrument = order === undefined ? undefined : market.instrument(order.conid);
  if (order === undefined || instrument === undefined || !session.user.accountIds.includes(order.accountId))
    return failure(400, `Bad Request: OrderID ${request.params["orderId"]} doesn't exist`);
  const aged = order.state !== "working" && order.updatedAt < tradingDay(request.now).startsAt;
  if (aged || !isSelected(session, order.accountId)) return failure(503, "Service Unavailable");
  return ok(orderStatusRow(order, { market, instrument, now: request.now }));
}

function isSelected(session: Session, accountId: string): boolean {
  return accountsNamed(session, session.brokerage.selectedAccountId)?.includes(accountId) === true;
}

function listTrades(request: SimRequest, session: Session, { market, trading }: Simulation): SimReply {
  const { brokerage, user } = session;
  if (!brokerage.tradesPrimed) {
    brokerage.tradesPrimed = true;
    return ok([]);
  }
  const asked = Number(request.query.get("days") ?? "1");
  if (!Number.isSafeInteger(asked) || asked < 0) return failure(400, "Bad Request: days is not valid");
  const days = Math.min(Math.max(asked, 1), MAX_TRADE_DAYS);
  const since = tradingDay(request.now - (days - 1) * DAY_MS).startsAt;
  const accounts = accountsNamed(session, brokerage.selectedAccountId) ?? [];
  const executed = accounts.flatMap((each) => trading.executions(each, since)).toSorted((a, b) => b.at - a.at);
  const rows = executed.flatMap((execution) => {
    const instrument = market.instrument(execution.conid);
    return instrument === undefined ? [] : [tradeRow(execution, instrument, user.userName)];
  });
  return ok(rows);
}
