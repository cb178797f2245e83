/** A week of everything that goes wrong at IBKR, under continuous calls of two users, on a clock that the test turns. */
import { afterEach, beforeEach, expect, it } from "vitest";

import type { Broker, CallOptions } from "../../src/broker/broker.ts";
import type { ConnectionRef, Connections } from "../../src/connections/connections.ts";
import { createConnections } from "../../src/connections/pool.ts";
import { Decimal } from "../../src/lib/decimal.ts";
import { GatewayError } from "../../src/lib/errors.ts";
import { seededRandom } from "../../src/lib/random.ts";
import type { FaultSpec } from "../../src/simulator/control/faults.ts";
import { IBKR_MAINTENANCE } from "../../src/simulator/session/maintenance.ts";
import { insertConnection } from "../../src/storage/connections.ts";
import { setLiveTrading } from "../../src/storage/live-trading.ts";
import { createSealer, type Sealer } from "../../src/storage/sealing.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { insertUser } from "../../src/storage/users.ts";
import { createTrading } from "../../src/trading/create-trading.ts";
import type { Trading, TradingCall } from "../../src/trading/trading.ts";
import { createHostPolicy } from "../../src/upstreams/host-policy.ts";
import { type FakeClock, fakeClock } from "../support/fake-clock.ts";
import { recordingLog } from "../support/silent-log.ts";
import { startEngine, type TestEngine } from "../support/storages.ts";
import { letIn } from "../support/let-in.ts";
import { singleProcess } from "../support/single-process.ts";
import { callerOf, type Dice, allowedSendings, faultsOfOrders, WeekOrders } from "./week-orders.ts";
import { isQuiet, movePrices, openWeekWorld, setCompetitor, type WeekWorld } from "./week-world.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Monday noon in New York: the week has seven midnights and a Saturday evening. */
const MONDAY = Date.UTC(2026, 10, 16, 17, 0, 0);
const STEP_MS = 30_000;
const AAPL = 265598;
/** Bob's prices are three times Ada's. */
const APART_PERCENT = 200;
/** A quote differs from the market's price at the time of the call by less than this: what a stock moves in the longest call. */
const NEAR = Decimal.parse("0.02");
/** Within this of the end of its pause a session has to stand: a minute until it is looked after, and an opening. */
const BACK_WITHIN_MS = 3 * MINUTE_MS;
/** Callers are answered within their deadline, as behind every tool. */
const DEADLINE_MS = 60_000;
const LONGEST_CALL_MS = DEADLINE_MS + 1000;
/** Until every outcome is known: a question that could not be declined may go live half an hour later. */
const SETTLED_WITHIN_MS = 60 * MINUTE_MS;
/** What a caller may be told when IBKR is down, disturbed or somebody else's. */
const TOLD = new Set([
  "upstream_unavailable",
  "connection_not_ready",
  "session_competing",
  "session_lost",
  "rate_limited",
  "timeout",
  "broker_error",
  "market_data_unavailable",
]);
/** What is lived through: a whole week, and a weekend by another seed. */
interface Span {
  readonly seed: string;
  readonly startsAt: number;
  readonly days: number;
}

const { WEEK_SEEDS, WEEK_DAYS = "7" } = process.env;
/** `WEEK_SEEDS="a,b,c"` hunts with seeds of one's own, for `WEEK_DAYS` each. */
const SPANS: readonly Span[] = WEEK_SEEDS?.split(",").map((seed) => ({ seed, startsAt: MONDAY, days: Number(WEEK_DAYS) })) ?? [
  { seed: "a week in november", startsAt: MONDAY, days: 7 },
  { seed: "a weekend", startsAt: MONDAY + 4.5 * DAY_MS, days: 1.5 },
];

let engine: TestEngine;
let storage: Storage;
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeEach(async () => {
  process.on("unhandledRejection", onUnhandled);
  engine = await startEngine("sqlite");
  storage = await (await engine.createDatabase()).open();
});
afterEach(async () => {
  process.off("unhandledRejection", onUnhandled);
  await engine.stop();
});

/** One user with their world, connection and what became of their calls. */
interface Life {
  readonly own: WeekWorld;
  readonly ref: ConnectionRef;
  readonly orders: WeekOrders;
  /** By when its session has to stand again; undefined while something is in its way. */
  dueAt: number | undefined;
  answered: number;
  failed: number;
  /** Calls that began and ended when its session had to stand and nothing was in its way, and what those that failed were told. */
  calm: number;
  calmFailures: string[];
  /** Quotes that cost no request. */
  streamed: number;
}

/** Everything that a week is made of. */
interface Week {
  readonly clock: FakeClock;
  readonly dice: Dice;
  readonly connections: Connections;
  readonly trading: Trading;
  readonly lives: readonly Life[];
  /** What was logged. */
  readonly lines: readonly Record<string, unknown>[];
}

async function startWeek({ seed, startsAt }: Span): Promise<Week> {
  const clock = fakeClock(startsAt);
  const source = seededRandom(seed);
  const sealer = createSealer({ key: Buffer.alloc(32, 1), keyId: "k1" });
  const worlds = [await openWeekWorld("ada", "paper", { seed, clock }), await openWeekWorld("bob", "live", { seed, clock })];
  const { log, lines } = recordingLog();
  const worldOf = (matches: (credentials: WeekWorld["world"]["credentials"]) => boolean): WeekWorld => {
    const own = worlds.find(({ world }) => matches(world.credentials));
    if (own === undefined) throw new Error("a request of nobody");
    return own;
  };
  const connections = createConnections({
    storage,
    sealer,
    clock,
    random: seededRandom(`${seed} gateway`),
    log,
    // Both are at one address, as at IBKR: what they are is told by their signatures and tokens alone.
    fetch: async (input, init) => {
      const [, key] = /oauth_consumer_key="([^"]+)"/.exec(new Headers(init?.headers).get("authorization") ?? "") ?? [];
      return await worldOf(({ consumerKey }) => consumerKey === key).fetch(input, init);
    },
    socket: (url, options) => {
      const token = new URL(url).searchParams.get("oauth_token");
      return worldOf(({ accessToken }) => accessToken === token).socket(url, options);
    },
    embeddedSimulator: undefined,
    hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
    ibkrBaseUrls: { automatic: "https://ibkr.test/v1/api" },
  });
  const trading = createTrading({ storage, processes: singleProcess(), connections, clock, random: seededRandom(`${seed} trading`), log });
  const lives: Life[] = [];
  for (const own of worlds) lives.push(await settleDown(own, sealer, trading));
  await movePrices(worlds[1] ?? worldOf(() => true), APART_PERCENT);
  return { clock, dice: (sides) => Math.floor(source.fraction() * sides), connections, trading, lives, lines };
}

async function settleDown(own: WeekWorld, sealer: Sealer, trading: Trading): Promise<Life> {
  const { name, mode, world } = own;
  const ref = { connectionId: `con_${name}`, userId: `usr_${name}` };
  await insertUser(storage, { id: ref.userId, display_name: name, is_demo: 0, created_at: MONDAY });
  const { consumerKey, ...secrets } = world.credentials;
  await insertConnection(storage, {
    id: ref.connectionId,
    user_id: ref.userId,
    kind: "ibkr-oauth",
    label: name,
    mode,
    keep_warm: 1,
    settings: JSON.stringify({ consumerKey, region: "automatic" }),
    sealed_secrets: sealer.seal(JSON.stringify(secrets), {
      table: "connections",
      column: "sealed_secrets",
      rowId: ref.connectionId,
      userId: ref.userId,
    }),
    created_at: MONDAY,
  });
  await setLiveTrading(storage, ref, MONDAY);
  await letIn(storage, callerOf(name, ref), MONDAY);
  return {
    own,
    ref,
    orders: new WeekOrders(own, trading),
    dueAt: own.world.clock.now() + BACK_WITHIN_MS,
    answered: 0,
    failed: 0,
    calm: 0,
    calmFailures: [],
    streamed: 0,
  };
}

/** Turns the clock in small steps, so that exchanges that are under way get their turns. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) await clock.advance(Math.min(left, STEP_MS));
}

async function settled(clock: FakeClock, work: Promise<unknown>): Promise<void> {
  const state = { isPending: true };
  const end = (): void => void (state.isPending = false);
  work.then(end, end);
  for (let turns = 0; state.isPending && turns < 1000; turns += 1) await clock.advance(turns < 10 ? 0 : 500);
  await work;
}

function disturb(own: WeekWorld, dice: Dice): void {
  const { world } = own;
  const now = world.clock.now();
  const forMs = (1 + dice(12)) * MINUTE_MS;
  const add = (spec: FaultSpec): void => void world.simulation.faults.add({ forMs, ...spec }, now);
  const pick = (...reasons: string[]): string => reasons[dice(reasons.length)] ?? "";
  const events: readonly (() => void)[] = [
    () => add({ kind: "latency", ms: 1000 + dice(25) * 1000, count: 1 + dice(5) }),
    () => add({ kind: "too_many_requests", path: "/portfolio/**", count: 1 + dice(3) }),
    () => add({ kind: "unauthorized", count: 1 + dice(5) }),
    () => add({ kind: "no_bridge", count: 1 + dice(5) }),
    () => add({ kind: "unavailable" }),
    () => add({ kind: "drop_before", count: 1 + dice(5) }),
    () => add({ kind: "drop_after", count: 1 + dice(5) }),
    () => add({ kind: "drop_after", path: "/iserver/account/*/orders", method: "POST", count: 1 + dice(3) }),
    () => add({ kind: "drop_after", path: "/iserver/reply/*", count: 1 }),
    () => add({ kind: "stream_silence" }),
    () => world.sockets.drop(),
    () => (
      world.sessions.reset(),
      add({ kind: "token_failure", reason: pick("invalid_consumer", "no_secret", "not_propagated", "invalid_signature", "unavailable") })
    ),
    () => (world.sessions.reset(), add({ kind: "clock_skew", ms: (dice(2) === 0 ? 1 : -1) * 10 * MINUTE_MS })),
    () => (world.sessions.endBrokerage(), add({ kind: "init_failure", reason: pick("gone", "error", "never_authenticated") })),
    () => world.sessions.reset(),
    () => world.sessions.endBrokerage(),
    () => setCompetitor(own, { yields: dice(2) === 0, beside: dice(2) === 0 }),
    () => (world.sockets.drop(), void (own.isCut = true)),
  ];
  events[dice(events.length)]?.();
}

/** Another login logs out, and the network comes back, after a while. */
function mend(own: WeekWorld, dice: Dice): void {
  if (own.hasCompetitor && dice(3) === 0) setCompetitor(own, undefined);
  if (own.isCut && dice(2) === 0) own.isCut = false;
}

/** One call of a user; answers what in it isn't this user's. */
async function ask({ dice }: Week, life: Life, { broker, call }: Pick<TradingCall, "broker" | "call">): Promise<readonly string[]> {
  const { own } = life;
  const accounts = own.world.accountIds;
  const accountId = accounts[dice(accounts.length)] ?? "";
  const foreign = (ids: readonly string[]): readonly string[] => ids.filter((id) => !accounts.includes(id));
  switch (dice(8)) {
    case 0:
      return foreign((await broker.accounts(call)).map((account) => account.accountId));
    case 1:
      return own.told.strangeIn(accountId, await broker.positions(accountId, call));
    case 2:
      return own.told.strangeInLedger(await broker.cashLedger(accountId, call));
    case 3:
      return foreign((await broker.orders(accountId, call)).orders.map((order) => order.accountId));
    case 4:
    case 5:
      return await strangeInQuote(life, broker, call);
    default:
      await life.orders.act({ caller: callerOf(own.name, life.ref), broker, call }, dice);
      return [];
  }
}

/** A quote is this user's, and current, when the user's own market says the same. */
async function strangeInQuote(life: Life, broker: Broker, call: CallOptions): Promise<readonly string[]> {
  const { market, clock } = life.own.world.simulation;
  let cost = 0;
  const [quote] = await broker.quotes([AAPL], { ...call, onUpstreamCall: () => void (cost += 1) });
  if (cost === 0) life.streamed += 1;
  const price = market.quote(AAPL, clock.now()).last;
  const apart = quote?.last?.minus(price).abs().dividedBy(price, 6);
  return apart?.lessThan(NEAR) === true ? [] : [`a quote of ${String(quote?.last)} where the market is at ${String(price)}`];
}

async function callOnce(week: Week, life: Life): Promise<void> {
  const { clock, connections } = week;
  const startedAt = clock.now();
  const isCalm = (): boolean => isQuiet(life.own) && life.dueAt !== undefined && startedAt > life.dueAt;
  const wasCalm = isCalm();
  const limit = new AbortController();
  const done = new AbortController();
  const late = new GatewayError("timeout", "The call took too long.", { whatToDo: "Try again." });
  clock.wait(DEADLINE_MS, done.signal).then(
    () => limit.abort(late),
    () => undefined,
  );
  try {
    const { broker } = await connections.open(life.ref, limit.signal);
    expect(await ask(week, life, { broker, call: { signal: limit.signal, caller: life.own.name } })).toEqual([]);
    life.answered += 1;
    if (wasCalm && isCalm()) life.calm += 1;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(TOLD, error.message).toContain(error.code);
    life.failed += 1;
    if (wasCalm && isCalm()) life.calmFailures.push(`${new Date(startedAt).toISOString()} ${error.code}: ${error.message}`);
  } finally {
    done.abort();
  }
  expect(clock.now() - startedAt).toBeLessThan(LONGEST_CALL_MS);
}

/** Once nothing is in its way, a session is back by the end of its pause. */
async function checkIsBack({ connections, clock }: Week, life: Life): Promise<void> {
  if (!isQuiet(life.own)) {
    life.dueAt = undefined;
    return;
  }
  const health = await connections.health(life.ref);
  life.dueAt ??= Math.max(health?.link.retryAt ?? 0, clock.now()) + BACK_WITHIN_MS;
  if (clock.now() <= life.dueAt || health?.link.state === "established") return;
  // IBKR ends a session after a day as well; that is noticed by a call or within a minute.
  for (let waitedMs = 0; waitedMs < BACK_WITHIN_MS && isQuiet(life.own); waitedMs += 10_000) {
    await pass(clock, 10_000);
    if ((await connections.health(life.ref))?.link.state === "established") return;
  }
  const now = await connections.health(life.ref);
  if (isQuiet(life.own))
    expect([now?.link.state, now?.lastFault?.message], new Date(clock.now()).toISOString()).toEqual(["established", undefined]);
}

/** One round: what happens, and who calls meanwhile. Calls come thick while something is wrong, and now and then otherwise. */
async function liveOn(week: Week): Promise<void> {
  const { clock, dice, lives } = week;
  for (const { own } of lives) {
    mend(own, dice);
    if (isQuiet(own) && dice(3) === 0) disturb(own, dice);
    own.world.advance();
  }
  const calls = lives.flatMap((life) => Array.from({ length: 1 + dice(2) }, () => callOnce(week, life)));
  await settled(clock, Promise.all(calls));
  for (const life of lives) await checkIsBack(week, life);
  const isDown = IBKR_MAINTENANCE.windowAt(clock.now()) !== "none";
  const isRestless = !isDown && (lives.some(({ own }) => !isQuiet(own)) || dice(4) === 0);
  await pass(clock, isRestless ? 5000 + dice(5 * 60) * 1000 : dice(60) * MINUTE_MS);
}

/** After the week everything is whole again, and every order's outcome gets known. */
async function comeToRest({ clock, lives, connections }: Week): Promise<void> {
  for (const { own } of lives) {
    own.world.simulation.faults.clear();
    own.isCut = false;
    setCompetitor(own, undefined);
  }
  const endsAt = clock.now() + SETTLED_WITHIN_MS;
  let open = 1;
  while (open > 0 && clock.now() < endsAt) {
    await pass(clock, 2 * MINUTE_MS);
    open = 0;
    for (const { own, ref, orders } of lives) {
      own.world.advance();
      const call = { signal: new AbortController().signal, caller: own.name };
      const finishing = connections
        .open(ref, call.signal)
        .then(async ({ broker }) => void (open += await orders.finish({ caller: callerOf(own.name, ref), broker, call })));
      await settled(clock, finishing);
    }
  }
}

/** What must be true of each user's week. */
async function checkLife({ connections }: Week, life: Life, { seed, days }: Span): Promise<void> {
  const { own, ref, orders, answered, failed, streamed } = life;
  const ends = JSON.stringify(Object.fromEntries(orders.ends));
  const told =
    `seed ${seed}, ${own.name}: ${answered} answered, ${failed} failed, ${streamed} quotes for nothing, ${orders.count} orders wanted (${ends}), ` +
    `${own.orders.size} sent, ${own.inits} inits, ${own.sockets} sockets, ${own.requests} requests`;
  expect(await faultsOfOrders(storage, own, ref.userId), told).toEqual([]);
  const allowed = await allowedSendings(storage, ref.userId);
  expect(
    [...own.orders].filter(([customerOrderId, times]) => times > (allowed.get(customerOrderId) ?? 0)),
    told,
  ).toEqual([]);
  expect([...own.accountsOfOrders].filter((accountId) => !own.world.accountIds.includes(accountId))).toEqual([]);
  expect(own.orders.size, told).toBeGreaterThan(days * 7);
  expect(streamed, told).toBeGreaterThan(days);
  expect(own.sockets, told).toBeGreaterThan(days);
  expect(own.competed, told).toBe(0);
  // Refused inits are minutes apart, so that nobody is locked out.
  expect(own.inits, told).toBeLessThan(days * 60);
  expect(answered / (answered + failed), told).toBeGreaterThan(0.3);
  // Now and then a session ends by itself in the middle of a call.
  expect(life.calmFailures.length / life.calm, `${told}\n${life.calmFailures.join("\n")}`).toBeLessThan(0.03);
  const health = await connections.health(ref);
  expect([health?.link.state, health?.userName], told).toEqual(["established", "simuser1"]);
}

it.each(SPANS)("two users live through $days days of faults (seed: $seed)", { timeout: 600_000 }, async (span) => {
  const week = await startWeek(span);
  const { clock, connections, trading, lives, lines } = week;
  await settled(clock, connections.warmUp());
  while (clock.now() < span.startsAt + span.days * DAY_MS) await liveOn(week);
  await comeToRest(week);
  for (const life of lives) await checkLife(week, life, span);
  // What tells one user's data from the other's: most of what one was told fits nobody else (cash that was never touched does).
  const [ada, bob] = lives.map(({ own }) => own.told);
  if (ada !== undefined && bob !== undefined) expect(ada.sharedWith(bob)).toBeLessThan(ada.size / 5);
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await settled(clock, trading.close());
  await settled(clock, connections.close());
  for (const { own } of lives) own.world.close();
  expect(unhandled, `seed ${span.seed}`).toEqual([]);
});
