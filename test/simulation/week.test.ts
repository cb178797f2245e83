/** A week of everything that goes wrong at IBKR, under continuous calls of two users, on a clock that the test turns. */
import { afterEach, beforeEach, expect, it } from "vitest";

import type { Broker, CallOptions } from "../../src/broker/broker.ts";
import type { OrderTicket } from "../../src/broker/order.ts";
import type { ConnectionRef, Connections } from "../../src/connections/connections.ts";
import { createConnections } from "../../src/connections/pool.ts";
import { Decimal } from "../../src/lib/decimal.ts";
import { GatewayError } from "../../src/lib/errors.ts";
import { seededRandom } from "../../src/lib/random.ts";
import type { FaultSpec } from "../../src/simulator/control/faults.ts";
import { insertConnection } from "../../src/storage/connections.ts";
import { createSealer, type Sealer } from "../../src/storage/sealing.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { insertUser } from "../../src/storage/users.ts";
import { createHostPolicy } from "../../src/upstreams/host-policy.ts";
import { type FakeClock, fakeClock } from "../support/fake-clock.ts";
import { recordingLog } from "../support/silent-log.ts";
import { startEngine, type TestEngine } from "../support/storages.ts";
import { isQuiet, openWeekWorld, setCompetitor, type WeekWorld } from "./week-world.ts";

const SEEDS = ["a week in november"];
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Monday noon in New York: the week has seven midnights and a Saturday evening. */
const START = Date.UTC(2026, 10, 16, 17, 0, 0);
const STEP_MS = 30_000;
const AAPL = 265598;
/** Within this of the end of its pause a session has to stand: a minute until it is looked after, and an opening. */
const BACK_WITHIN_MS = 3 * MINUTE_MS;
/** Nobody is kept waiting: two requests that time out, or the opening that everybody waits for. */
const LONGEST_CALL_MS = 100_000;
/** What a caller may be told when IBKR is down, disturbed or somebody else's. */
const TOLD = new Set([
  "upstream_unavailable",
  "connection_not_ready",
  "session_competing",
  "session_lost",
  "rate_limited",
  "timeout",
  "broker_error",
  "broker_rejected",
]);

let engine: TestEngine;
let storage: Storage;
beforeEach(async () => {
  engine = await startEngine("sqlite");
  storage = await (await engine.createDatabase()).open();
});
afterEach(() => engine.stop());

/** One user with their world, connection and what became of their calls. */
interface Life {
  readonly own: WeekWorld;
  readonly ref: ConnectionRef;
  /** By when its session has to stand again; undefined while something is in its way. */
  dueAt: number | undefined;
  answered: number;
  failed: number;
  placed: number;
}

async function settleDown(own: WeekWorld, sealer: Sealer): Promise<Life> {
  const { name, mode, world } = own;
  const ref = { connectionId: `con_${name}`, userId: `usr_${name}` };
  await insertUser(storage, { id: ref.userId, display_name: name, is_demo: 0, created_at: START });
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
    created_at: START,
  });
  return { own, ref, dueAt: START + BACK_WITHIN_MS, answered: 0, failed: 0, placed: 0 };
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

type Dice = (sides: number) => number;

function disturb(own: WeekWorld, dice: Dice): void {
  const { world } = own;
  const now = world.clock.now();
  const forMs = (1 + dice(20)) * MINUTE_MS;
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
    () => (
      world.sessions.reset(),
      add({ kind: "token_failure", reason: pick("invalid_consumer", "no_secret", "not_propagated", "invalid_signature", "unavailable") })
    ),
    () => (world.sessions.reset(), add({ kind: "clock_skew", ms: (dice(2) === 0 ? 1 : -1) * 10 * MINUTE_MS })),
    () => (world.sessions.endBrokerage(), add({ kind: "init_failure", reason: pick("gone", "error", "never_authenticated") })),
    () => world.sessions.reset(),
    () => world.sessions.endBrokerage(),
    () => setCompetitor(own, { yields: dice(2) === 0, beside: dice(2) === 0 }),
    () => void (own.isCut = true),
  ];
  events[dice(events.length)]?.();
}

/** Another login logs out, and the network comes back, after a while. */
function mend(own: WeekWorld, dice: Dice): void {
  if (own.hasCompetitor && dice(4) === 0) setCompetitor(own, undefined);
  if (own.isCut && dice(3) === 0) own.isCut = false;
}

/** One call of a user; answers the account ids that its answer speaks of. */
async function ask(broker: Broker, life: Life, call: CallOptions, dice: Dice): Promise<readonly string[]> {
  const accounts = life.own.world.accountIds;
  const accountId = accounts[dice(accounts.length)] ?? "";
  switch (dice(6)) {
    case 0:
      return (await broker.accounts(call)).map((account) => account.accountId);
    case 1:
      await broker.positions(accountId, call);
      return [];
    case 2:
      return [(await broker.cashLedger(accountId, call)).accountId];
    case 3:
      return (await broker.orders(accountId, call)).orders.map((order) => order.accountId);
    case 4:
      await broker.quotes([AAPL], call);
      return [];
    default: {
      life.placed += 1;
      await broker.submitOrder(ticketOf(life, accountId), call);
      return [];
    }
  }
}

function ticketOf(life: Life, accountId: string): OrderTicket {
  return {
    accountId,
    conid: AAPL,
    side: life.placed % 2 === 0 ? "BUY" : "SELL",
    quantity: Decimal.one,
    orderType: "MKT",
    limitPrice: undefined,
    stopPrice: undefined,
    timeInForce: "DAY",
    outsideRth: false,
    customerOrderId: `${life.own.name}-${life.placed}`,
  };
}

async function callOnce(connections: Connections, life: Life, { clock, dice }: { clock: FakeClock; dice: Dice }): Promise<void> {
  const startedAt = clock.now();
  const { signal } = new AbortController();
  try {
    const { broker } = await connections.open(life.ref, signal);
    const seen = await ask(broker, life, { signal, caller: life.own.name }, dice);
    expect(seen.filter((accountId) => !life.own.world.accountIds.includes(accountId))).toEqual([]);
    life.answered += 1;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(TOLD, error.message).toContain(error.code);
    life.failed += 1;
  }
  expect(clock.now() - startedAt).toBeLessThan(LONGEST_CALL_MS);
}

/** Once nothing is in its way, a session is back by the end of its pause. */
async function checkIsBack(connections: Connections, life: Life, clock: FakeClock): Promise<void> {
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

it.each(SEEDS)("two users live through a week of faults (seed: %s)", { timeout: 240_000 }, async (seed) => {
  const clock = fakeClock(START);
  const source = seededRandom(seed);
  const dice: Dice = (sides) => Math.floor(source.fraction() * sides);
  const sealer = createSealer({ key: Buffer.alloc(32, 1), keyId: "k1" });
  const lives = [
    await settleDown(await openWeekWorld("ada", "paper", { seed, clock }), sealer),
    await settleDown(await openWeekWorld("bob", "live", { seed, clock }), sealer),
  ];
  const { log, lines } = recordingLog();
  // Both are at one address, as at IBKR: what they are is told by their signatures alone.
  const edge: typeof fetch = (input, init) => {
    const [, key] = /oauth_consumer_key="([^"]+)"/.exec(new Headers(init?.headers).get("authorization") ?? "") ?? [];
    const life = lives.find(({ own }) => own.world.credentials.consumerKey === key);
    return life === undefined ? Promise.reject(new Error("a request of nobody")) : life.own.fetch(input, init);
  };
  const connections = createConnections({
    storage,
    sealer,
    clock,
    random: seededRandom(`${seed} gateway`),
    log,
    fetch: edge,
    embeddedSimulator: undefined,
    hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
    ibkrBaseUrls: { automatic: "https://ibkr.test/v1/api" },
  });
  await settled(clock, connections.warmUp());
  while (clock.now() < START + 7 * DAY_MS) {
    for (const { own } of lives) {
      mend(own, dice);
      if (isQuiet(own) && dice(4) === 0) disturb(own, dice);
      own.world.advance();
    }
    await settled(clock, Promise.all(lives.map((life) => callOnce(connections, life, { clock, dice }))));
    for (const life of lives) await checkIsBack(connections, life, clock);
    await pass(clock, MINUTE_MS + dice(30) * MINUTE_MS);
  }
  for (const { own, answered, failed, placed } of lives) {
    const told = `${own.name}: ${answered} answered, ${failed} failed, ${own.orders.size} of ${placed} orders, ${own.inits} inits, ${own.requests} requests`;
    expect(
      [...own.orders].filter(([, times]) => times > 1),
      told,
    ).toEqual([]);
    expect([...own.accountsOfOrders].filter((accountId) => !own.world.accountIds.includes(accountId))).toEqual([]);
    expect(own.orders.size, told).toBeGreaterThan(50);
    expect(own.competed, told).toBe(0);
    // Refused inits are minutes apart, so that nobody is locked out.
    expect(own.inits, told).toBeLessThan(7 * 60);
    expect(answered / (answered + failed), told).toBeGreaterThan(0.6);
  }
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await settled(clock, connections.close());
  for (const { own } of lives) own.world.close();
});
