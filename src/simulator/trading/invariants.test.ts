import { describe, expect, test } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import { seededRandom } from "../../lib/random.ts";
import type { OrderSet } from "./order-desk.ts";
import { ORDER_KINDS, TIFS } from "./records.ts";
import type { Execution, OrderKind, Side, Tif } from "./records.ts";
import { CONID, DU1, DU2, UNASKED, createTestWorld, ticketOf } from "./test-world.ts";
import type { Terms, TestWorld } from "./test-world.ts";
import { createTradingStore } from "./trading-store.ts";
import type { AccountValuation } from "./valuation.ts";

const DAY_MS = 86_400_000;
const D = (text: string): Decimal => Decimal.parse(text);
const pick = <T>(values: readonly [T, ...T[]], fraction: number): T => values[Math.floor(fraction * values.length)] ?? values[0];

/** Signed by what it does to the position: bought quantities and money spent are positive. */
const signed = (execution: Execution, value: Decimal): Decimal => (execution.side === "BUY" ? value : value.negated());

function randomTerms(world: TestWorld, fraction: () => number): Terms {
  const conid = pick([CONID.AAPL, CONID.MSFT, CONID.SPY, CONID.SAP, CONID.VOD, CONID.THIN, CONID.EURUSD], fraction());
  const option = world.trading.valuation(DU1, world.now).holdings.find(({ instrument }) => instrument.secType === "OPT");
  const chosen = option !== undefined && fraction() < 0.1 ? option.instrument.conid : conid;
  const last = world.market.quote(chosen, world.now).last;
  const near = (): Decimal => last.times(D((0.99 + fraction() * 0.02).toFixed(4)));
  const onTick = (price: Decimal): Decimal => price.roundToStep(world.market.priceIncrement(chosen, price));
  const kind = pick<OrderKind>(["MKT", "MKT", "LMT", "LMT", ...ORDER_KINDS], fraction());
  const fractions = (chosen === CONID.AAPL || chosen === CONID.MSFT) && (kind === "MKT" || kind === "LMT") && fraction() < 0.2;
  const whole = String(1 + Math.floor(fraction() ** 3 * 900));
  return {
    accountId: pick([DU1, DU2], fraction()),
    conid: chosen,
    side: pick<Side>(["BUY", "SELL"], fraction()),
    kind,
    tif: pick<Tif>(kind === "MOC" || kind === "LOC" || kind === "MIDPRICE" ? ["DAY"] : [...TIFS], fraction()),
    goodTill: world.now + Math.ceil(fraction() * 2 * DAY_MS),
    trail:
      kind === "TRAIL" || kind === "TRAILLMT"
        ? { amount: D((0.1 + fraction()).toFixed(2)), unit: pick(["amt", "%"], fraction()) }
        : undefined,
    quantity: fractions ? (fraction() * 3 + 0.001).toFixed(3) : whole,
    limitPrice: LIMITED.has(kind) ? onTick(near()) : undefined,
    stopPrice: STOPPED.has(kind) ? onTick(near()) : undefined,
  };
}

const LIMITED: ReadonlySet<OrderKind> = new Set(["LMT", "STOP_LIMIT", "TRAILLMT", "LIT", "LOC", "MIDPRICE"]);
const STOPPED: ReadonlySet<OrderKind> = new Set(["STP", "STOP_LIMIT", "TRAILLMT", "MIT", "LIT"]);

/** A purchase with a profit taker and a stop, or two sales of which one cancels the other. */
function randomSet(world: TestWorld, fraction: () => number): OrderSet {
  const { last } = world.market.quote(CONID.MSFT, world.now);
  const price = (share: string): Decimal => last.times(D(share)).round(2);
  const base = { conid: CONID.MSFT, quantity: String(1 + Math.floor(fraction() * 50)), tif: "GTC" } as const;
  const profit = ticketOf({ ...base, side: "SELL", kind: "LMT", limitPrice: price("1.003") });
  const loss = ticketOf({ ...base, side: "SELL", kind: "STP", stopPrice: price("0.997") });
  const entry = ticketOf({ ...base, kind: pick<OrderKind>(["MKT", "LMT"], fraction()), limitPrice: price("1.001") });
  return fraction() < 0.5 ? { first: entry, others: [profit, loss], kind: "bracket" } : { first: profit, others: [loss], kind: "oca" };
}

function add<K>(sums: Map<K, Decimal>, key: K, value: Decimal): void {
  sums.set(key, (sums.get(key) ?? Decimal.zero).plus(value));
}

/** Holds the account against its deposits and executions as they stand in the database. */
function check(world: TestWorld, accountId: string): void {
  const store = createTradingStore(world.database);
  const executions = [...store.everyExecution(accountId)];
  const valuation = world.trading.valuation(accountId, world.now);
  const cash = new Map<string, Decimal>();
  const held = new Map<number, Decimal>();
  for (const deposit of store.deposits(accountId)) add(cash, deposit.currency, deposit.amount);
  for (const each of executions) {
    add(cash, each.currency, signed(each, each.amount).plus(each.commission).negated());
    if (each.exchangedCurrency === undefined) add(held, each.conid, signed(each, each.quantity));
    else add(cash, each.exchangedCurrency, signed(each, each.quantity));
  }
  for (const [currency, amount] of cash)
    expect([currency, valuation.currencies.find((each) => each.currency === currency)?.cash.toString()]).toEqual([
      currency,
      amount.toString(),
    ]);
  for (const [conid, quantity] of held) {
    const position = valuation.holdings.find((holding) => holding.instrument.conid === conid)?.position;
    expect([conid, String(position?.quantity ?? 0)]).toEqual([conid, quantity.toString()]);
  }
  checkProfit(world, valuation, executions);
}

/** Profit in three ways: realised + unrealised = worth − spent, today's = worth now − worth at the day's start − spent today. */
function checkProfit(world: TestWorld, valuation: AccountValuation, executions: readonly Execution[]): void {
  for (const { position, instrument, value, unrealized, daily } of valuation.holdings) {
    const own = executions.filter((each) => each.conid === instrument.conid);
    const spent = Decimal.sum(own.map((each) => signed(each, each.amount).plus(each.commission)));
    expect(position.realized.plus(unrealized).toString()).toBe(value.minus(spent).toString());
    const dayStart = Date.UTC(2026, 10, 23, 5) + Math.floor((world.now - Date.UTC(2026, 10, 23, 5)) / DAY_MS) * DAY_MS;
    const before = own.filter((each) => each.at < dayStart);
    const heldBefore = Decimal.sum(before.map((each) => signed(each, each.quantity)));
    const unit = instrument.multiplier.dividedBy(Decimal.fromInteger(instrument.magnifier));
    const worthBefore = heldBefore.times(world.market.quote(instrument.conid, dayStart).last).times(unit);
    const spentBefore = Decimal.sum(before.map((each) => signed(each, each.amount).plus(each.commission)));
    expect(daily.toString()).toBe(value.minus(worthBefore).minus(spent.minus(spentBefore)).toString());
  }
  const worth = valuation.currencies.map((each) => each.cash.plus(each.stockValue).plus(each.optionValue).times(each.rate));
  expect(valuation.total.netLiquidation.toString()).toBe(Decimal.sum(worth).toString());
}

/** Each order's progress is the sum of its fills, and no fill is worse than the limit. */
function checkOrders(world: TestWorld, ids: readonly number[]): void {
  for (const id of ids) {
    const order = world.order(id);
    const fills = world.fillsOf(id);
    expect(Decimal.sum(fills.map((fill) => fill.quantity)).toString()).toBe(order.filled.toString());
    expect(Decimal.sum(fills.map((fill) => fill.commission)).toString()).toBe(order.commission.toString());
    expect(order.filled.greaterThan(order.quantity)).toBe(false);
    expect(order.state === "filled").toBe(order.filled.equals(order.quantity));
    for (const { price } of fills) {
      if (order.limitPrice === undefined) continue;
      expect(order.side === "BUY" ? price.greaterThan(order.limitPrice) : price.lessThan(order.limitPrice)).toBe(false);
    }
  }
}

/** Runs half an hour of random orders, and lists the fills. */
function fillsOfRun(seed: string): readonly string[] {
  const world = createTestWorld({ seed });
  const random = seededRandom(seed);
  for (let step = 0; step < 30; step += 1) {
    world.tryPlace(randomTerms(world, () => random.fraction()));
    world.pass(60_000, 10_000);
  }
  const all = [DU1, DU2].flatMap((account) => world.trading.executions(account, 0));
  return all.map((each) => [each.executionId, each.conid, each.quantity, each.price, each.at].join(" "));
}

describe("whatever happens", () => {
  test.each(["one", "two", "three"])("positions, cash and profit add up (seed %s)", { timeout: 60_000 }, (seed) => {
    const world = createTestWorld({ seed });
    const random = seededRandom(seed);
    const fraction = (): number => random.fraction();
    const placed: number[] = [];
    for (let step = 0; step < 150; step += 1) {
      const action = fraction();
      if (action < 0.5) {
        const { desk } = world.trading;
        const set = fraction() < 0.2;
        const reply = set ? desk.placeSet(randomSet(world, fraction), UNASKED, world.now) : world.tryPlace(randomTerms(world, fraction));
        if (reply.kind !== "accepted") continue;
        placed.push(reply.order.id, ...(reply.others ?? []).flatMap((each) => ("failure" in each ? [] : [each.id])));
      } else if (action < 0.57 && placed.length > 0) {
        const id = pick([placed[0] ?? 0, ...placed], fraction());
        world.trading.desk.cancel(world.order(id).accountId, id, world.now);
      } else if (action < 0.62) world.crash();
      else world.pass(pick([100, 1000, 60_000, 1_800_000, 36_000_000], fraction()), 36_000_000);
      if (step % 10 === 9) for (const account of [DU1, DU2]) check(world, account);
    }
    world.pass(3 * DAY_MS, DAY_MS);
    for (const account of [DU1, DU2]) check(world, account);
    checkOrders(world, placed);
    expect(placed.length).toBeGreaterThan(30);
  });

  test("the same seed and the same orders give the same fills", () => {
    expect(fillsOfRun("again")).toEqual(fillsOfRun("again"));
  });
});
