import { rmSync } from "node:fs";

import { Decimal } from "../../../src/lib/decimal.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import type { FaultSpec } from "../../../src/simulator/control/faults.ts";
import { createWorld, type World } from "../../../src/simulator/create-world.ts";
import { openStore } from "../../../src/simulator/store.ts";
import { takenOrders } from "../../../src/simulator/trading/taken-orders.ts";
import { Callers } from "./callers.ts";
import { Fate, stopFor } from "./fate.ts";
import { FileLock } from "./file-lock.ts";
import { type GatewayProcess, openGated, type ProcessDeps, startProcess } from "./gateway-process.ts";
import { Kernel } from "./kernel.ts";
import { Life } from "./life.ts";
import { Network, type NetworkDeps } from "./network.ts";
import { Owner } from "./owner.ts";
import { diceOf, type Event, type Plan, planOf } from "./plan.ts";
import { type Breach, Promises } from "./promises.ts";
import { KEYS, type Template } from "./template.ts";
import { Trace } from "./trace.ts";
import { VirtualTime } from "./virtual-time.ts";

const MINUTE = 60_000;
const AAPL = 265598;
const USER_NAME = "simuser1";
/** A process that died is started again after this, and up to five times as much. */
const RESTART_MS = 3_000;
/** After the last fault every request is decided within this: half an hour until a person may decide, and some visits. */
const DECIDED_WITHIN_MS = 120 * MINUTE;
/** How often IBKR's time advances without a request: often while most calls come. */
const ADVANCE_MS = { early: 1_000, later: 10_000 } as const;
/** The time in which most calls come. */
const EARLY_MS = 5 * MINUTE;

/** What came of a seed. */
export interface PlanResult {
  readonly plan: Plan;
  readonly breaches: readonly Breach[];
  readonly trace: readonly string[];
  readonly digest: string;
  readonly orders: number;
  readonly sendings: number;
  /** How often a person decided. */
  readonly decisions: number;
  /** How often a strike could have come, by its point. */
  readonly points: ReadonlyMap<string, number>;
  /** Virtual time that passed. */
  readonly elapsedMs: number;
}

/** Runs the world of a seed to its end, or to the first broken promise. */
export function runSeed(seed: string, template: Template): Promise<PlanResult> {
  return runPlan(planOf(seed), template);
}

/** Runs a plan to its end, or to the first broken promise. */
export async function runPlan(plan: Plan, template: Template): Promise<PlanResult> {
  const run = await Run.start(plan, template);
  try {
    await run.live();
    return run.result();
  } finally {
    run.close();
  }
}

interface Surroundings {
  readonly time: VirtualTime;
  readonly world: World;
  /** IBKR's newest order. */
  readonly newest: () => unknown;
}

class Run {
  readonly #plan: Plan;
  readonly #time: VirtualTime;
  readonly #trace: Trace;
  readonly #world: World;
  readonly #network: Network;
  readonly #newest: () => unknown;
  readonly #promises: Promises;
  readonly #fate: Fate;
  readonly #kernel = new Kernel();
  readonly #deps: ProcessDeps;
  readonly #processes: (GatewayProcess | undefined)[] = [];
  readonly #generations = [0, 0];
  readonly #wallAheadMs = [0, 0];
  readonly #ownerLife = new Life("owner");
  readonly #owner: Owner;
  /** IBKR's newest order at the last look, and how many there were; the first are the demo's. */
  #seen: unknown;
  #known: number;
  #failure: unknown;

  static async start(plan: Plan, template: Template): Promise<Run> {
    const time = new VirtualTime(plan.startsAt);
    const store = openStore(undefined);
    const world = await createWorld({
      store,
      // What repeats by itself there is driven from here.
      clock: { ...time.trueClock(), every: () => () => undefined },
      random: seededRandom(`${plan.seed} IBKR`),
      furtherRoutes: [],
      credentials: template.credentials,
      seed: "orders",
      user: "paper",
      lateOrderShare: 0,
      // Two processes share a user here, which the limits of one would forbid.
      pacing: { endpoints: false, requestsPerSecond: 1_000 },
    });
    world.serveAs(["https://ibkr.test"]);
    const newest = store.prepare("select max(id) as id from sim_order");
    return new Run(plan, template, { time, world, newest: () => newest.get()?.["id"] });
  }

  private constructor(plan: Plan, template: Template, { time, world, newest }: Surroundings) {
    this.#plan = plan;
    this.#time = time;
    this.#trace = new Trace(time);
    this.#world = world;
    this.#newest = newest;
    this.#seen = newest();
    this.#known = takenOrders(world.simulation.trading).length;
    const file = template.copy({ refusalsProven: plan.refusalsProven });
    const trace = this.#trace;
    const lock = new FileLock(time);
    this.#promises = new Promises(plan, file, time);
    this.#fate = new Fate(plan.strikes, { time, trace, act: (what) => this.#owner.act(what) });
    const leaves: NetworkDeps["leaves"] = (leaving) => {
      const others = this.#network.underWay().filter(({ life }) => !this.#kernel.hasLost(life));
      this.#promises.leaves(
        leaving,
        others.map(({ customerOrderId }) => customerOrderId),
      );
    };
    this.#network = new Network({ time, trace, fate: this.#fate, world, dice: diceOf(`network ${plan.seed}`), leaves }, plan.unreachable);
    this.#deps = {
      seed: plan.seed,
      time,
      file,
      lock,
      fate: this.#fate,
      network: this.#network,
      kernel: this.#kernel,
      sealer: template.sealer,
    };
    const { storage } = openGated(this.#deps, this.#ownerLife, () => this.#ownerLife.pass());
    const process = (slot: number): GatewayProcess | undefined => this.#processes[slot];
    const errs = plan.personErrs;
    this.#owner = new Owner({ time, trace, promises: this.#promises, storage, dice: diceOf(`owner ${plan.seed}`), errs, process });
    for (const slot of [0, 1]) this.#start(slot);
    this.#setTheScene(process);
  }

  /** Sets everything on its time that was planned. */
  #setTheScene(process: (slot: number) => GatewayProcess | undefined): void {
    const { calls, whims, events } = this.#plan;
    const { simulation, accountIds, clock } = this.#world;
    const last = simulation.market.quote(AAPL, this.#time.now).last;
    const callers = new Callers({
      plan: this.#plan,
      time: this.#time,
      trace: this.#trace,
      promises: this.#promises,
      accountId: accountIds[0] ?? "",
      limitPrice: last.times(Decimal.parse("0.985")).round(2),
      keys: KEYS,
      broken: (error) => this.#fail(error),
      process,
    });
    for (const call of calls) this.#time.after(call.at, () => callers.call(call));
    for (const { at, spec } of whims) this.#time.after(at, () => void simulation.faults.add(spec, clock.now()));
    for (const event of events) this.#time.after(event.at, () => this.#happen(event));
    const advance = (): void => {
      this.#world.advance();
      this.#time.after(this.#time.elapsed < EARLY_MS ? ADVANCE_MS.early : ADVANCE_MS.later, advance);
    };
    advance();
    let visits = 0;
    const visit = (): void => {
      visits += 1;
      this.#owner.decide(visits % 2).catch((error: unknown) => this.#trace.add(`the owner's page fails: ${String(error).slice(0, 80)}`));
      this.#time.after(2 * MINUTE, visit);
    };
    this.#time.after(6 * MINUTE, visit);
  }

  /** Lets everything happen that was planned, then nothing more, until every request is decided. */
  async live(): Promise<void> {
    const { calls, whims, events, healsAfterMs, startsAt } = this.#plan;
    const lastAct = Math.max(0, ...[...calls, ...events, ...whims].map(({ at }) => at));
    await this.#until(startsAt + lastAct + healsAfterMs, () => false);
    this.#heal();
    await this.#until(startsAt + lastAct + longestHold(this.#plan) + 2 * MINUTE, () => false);
    await this.#until(this.#time.now + DECIDED_WITHIN_MS, () => !this.#promises.isOpen);
    if (this.#promises.breaches.length === 0) this.#promises.finish();
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  result(): PlanResult {
    const { breaches, orders, sendings } = this.#promises;
    const trace = this.#trace.lines;
    return {
      plan: this.#plan,
      breaches,
      trace,
      digest: this.#trace.digest(),
      orders: orders.length,
      sendings,
      decisions: this.#owner.decisions,
      points: this.#fate.points,
      elapsedMs: this.#time.elapsed,
    };
  }

  close(): void {
    this.#fate.isOver = true;
    for (const slot of [0, 1]) {
      const life = this.#processes[slot]?.life;
      this.#processes[slot] = undefined;
      life?.kill();
    }
    this.#ownerLife.kill();
    this.#promises.close();
    this.#world.close();
    for (const end of ["", "-wal", "-shm"]) rmSync(this.#deps.file + end, { force: true });
  }

  async #until(end: number, isDone: () => boolean): Promise<void> {
    let checkedAt = -Infinity;
    while (this.#promises.breaches.length === 0 && this.#failure === undefined) {
      if (this.#time.elapsed - checkedAt >= MINUTE) {
        checkedAt = this.#time.elapsed;
        if (isDone()) return;
      }
      if (!(await this.#time.step(end))) return;
      this.#look();
    }
  }

  /** Compares the promises with what IBKR has taken since the last look. */
  #look(): void {
    const newest = this.#newest();
    if (newest === this.#seen) return;
    this.#seen = newest;
    const orders = takenOrders(this.#world.simulation.trading);
    for (const order of orders.slice(this.#known)) {
      this.#trace.add(`IBKR takes ${order.customerOrderId} as ${order.orderId}`);
      this.#promises.takes(order);
    }
    this.#known = orders.length;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }

  #start(slot: number): void {
    const generation = (this.#generations[slot] ?? 0) + 1;
    this.#generations[slot] = generation;
    const process = startProcess(this.#deps, slot, generation);
    const { life, trading } = process;
    life.wallAheadMs = this.#wallAheadMs[slot] ?? 0;
    this.#processes[slot] = process;
    life.onDeath(() => {
      if (this.#processes[slot] !== process) return;
      this.#processes[slot] = undefined;
      this.#time.after(RESTART_MS * (1 + (generation % 5)), () => {
        this.#trace.add(`process ${slot + 1} starts again`);
        this.#start(slot);
      });
    });
    trading.reconcile().catch((error: unknown) => this.#trace.add(`${life.id} could not look at its start: ${String(error).slice(0, 80)}`));
  }

  #happen({ what, process: slot, ms }: Event): void {
    const { sessions, simulation, accountIds } = this.#world;
    const process = this.#processes[slot];
    this.#trace.add(`${what} ${slot + 1} ${ms}`);
    switch (what) {
      case "session_reset":
        return sessions.reset();
      case "brokerage_end":
        return sessions.endBrokerage();
      case "other_login":
        sessions.otherLogin(USER_NAME, { yields: true, beside: false });
        return void this.#time.after(ms, () => void sessions.otherLogout(USER_NAME));
      case "jump":
        this.#wallAheadMs[slot] = (this.#wallAheadMs[slot] ?? 0) + ms;
        if (process !== undefined) process.life.wallAheadMs = this.#wallAheadMs[slot] ?? 0;
        return undefined;
      case "tws_cancel":
        return simulation.trading.desk.cancelAll(accountIds[0] ?? "", this.#time.now);
      case "kill":
        return process?.life.kill();
      case "stop":
        return process === undefined ? undefined : stopFor(process.life, ms, this.#time);
      case "lose_id":
        return process === undefined ? undefined : this.#kernel.loses(process.life);
      default:
        this.#owner.act(what).catch((error: unknown) => this.#fail(error));
        return undefined;
    }
  }

  /** Ends the faults, except those that are permanent in this seed. */
  #heal(): void {
    const { sessions, simulation, clock } = this.#world;
    this.#trace.add("everything is well again");
    this.#fate.isOver = true;
    this.#network.unreachable = 0;
    simulation.faults.clear();
    for (const { spec } of this.#plan.whims) if (isLasting(spec, this.#plan)) simulation.faults.add(spec, clock.now());
    sessions.otherLogout(USER_NAME);
    for (const process of this.#processes) process?.life.goOn();
    this.#owner.resume().catch((error: unknown) => this.#fail(error));
  }
}

function isLasting({ kind, count, forMs }: FaultSpec, { listsLie }: Plan): boolean {
  if (count !== undefined || forMs !== undefined) return false;
  return kind === "coid_memory" || kind === "registers" || kind === "doubled" || (kind === "list" && listsLie);
}

/** How long IBKR may still hold what was sent last. */
function longestHold({ whims }: Plan): number {
  const holds = whims.filter(({ spec: { kind } }) => ["late", "latency", "goes_live", "doubled"].includes(kind));
  return Math.max(0, ...holds.map(({ spec }) => spec.ms ?? 0));
}
