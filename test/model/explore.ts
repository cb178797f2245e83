/** The search: visits every state within a scenario's bounds, shortest way first. */
import { movesOfBroker } from "./broker.ts";
import { movesOfCallers } from "./callers.ts";
import { movesOfFate } from "./fate.ts";
import { OPEN } from "./gateway.ts";
import { finish } from "./outcomes.ts";
import { END, type Promised } from "./promises.ts";
import type { Rules } from "./rules.ts";
import { LAST_CALL, NO_FAULTS, type Scenario } from "./scenario.ts";
import { copyOf, keyOf } from "./state-key.ts";
import { movesOfWatchers } from "./watchers.ts";
import { at, createWorld, type Packet, type World } from "./world.ts";

/** Bounds that lead to more states are too wide for a test. */
const MAX_STATES = 3_000_000;

/** Number of states, the first broken promise with the shortest way there, and the moves of requests and attempts. */
export interface Finding {
  readonly states: number;
  readonly broken: Promised | undefined;
  readonly trace: readonly string[];
  readonly moves: ReadonlySet<string>;
}

/** Visits every state breadth first. With `only`, other broken promises are passed over. Throws RangeError above `MAX_STATES`. */
export function explore(rules: Rules, scenario: Scenario, only?: Promised): Finding {
  const start = createWorld(scenario);
  const graph = new Graph();
  graph.visit(start, -1, "");
  const report = (broken: Promised | undefined, index: number): Finding => {
    return { states: graph.size, broken, trace: graph.traceTo(index), moves: start.moves };
  };
  for (let index = 0; ; index += 1) {
    const world = graph.take();
    if (world === undefined) break;
    const broken = only === undefined ? world.broken[0] : world.broken.find((one) => one === only);
    if (broken !== undefined) return report(broken, index);
    for (const { label, next } of movesOf(world, rules, scenario)) graph.visit(next, index, label);
  }
  const stuck = only === undefined || only === END ? graph.findStuck() : undefined;
  return stuck === undefined ? report(undefined, 0) : report(END, stuck);
}

/** Lists everything that can happen next, each with the world that it leads to. */
export function movesOf(world: World, rules: Rules, scenario: Scenario): readonly { readonly label: string; readonly next: World }[] {
  const moves: { label: string; next: World }[] = [];
  const add = (label: string, change: (next: World) => void): void => {
    const next = copyOf(world);
    change(next);
    forget(next, rules);
    moves.push({ label, next });
  };
  for (const movesOfActor of [movesOfFate, movesOfCallers, movesOfBroker, movesOfWatchers]) movesOfActor({ world, rules, scenario, add });
  return moves;
}

/** Clears what nothing reads any more, so that worlds with the same future are one. */
function forget(world: World, rules: Rules): void {
  if (world.revokedAt !== undefined && world.now > world.revokedAt) world.revokedAt = -1;
  if (rules.listsNeverProveAbsence) world.wallAhead = 0;
  for (const attempt of world.attempts) {
    if (rules.listsNeverProveAbsence) attempt.wallAt = 0;
    if (attempt.state !== "sending") attempt.owner = 0;
    if (attempt.state === "placed" || attempt.state === "no") Object.assign(attempt, { at: 0, wallAt: 0 });
  }
  for (const call of world.calls) if (call.step === "to come" && world.now > LAST_CALL) finish(call);
  const isDeaf = ({ call, cOID }: Packet): boolean => call >= 0 && world.calls[call]?.attempt !== cOID;
  if (world.wire.some(isDeaf)) world.wire = world.wire.map((packet) => (isDeaf(packet) ? { ...packet, call: -1 } : packet));
  if (world.wire.length === 0 && world.calls.every(({ step }) => step === "over")) world.left = NO_FAULTS;
}

/** States that were seen, by number, and the ways between them. */
class Graph {
  readonly #seen = new Map<string, number>();
  readonly #labels: string[] = [];
  readonly #parents: number[][] = [];
  readonly #ended: number[] = [];
  #layer: World[] = [];
  #nextLayer: World[] = [];
  #taken = 0;

  get size(): number {
    return this.#seen.size;
  }

  visit(world: World, parent: number, label: string): void {
    const key = keyOf(world);
    const known = this.#seen.get(key);
    if (known !== undefined) return void at(this.#parents, known).push(parent);
    if (this.size >= MAX_STATES) throw new RangeError(`more than ${MAX_STATES} states`);
    if (hasEnded(world)) this.#ended.push(this.size);
    this.#seen.set(key, this.size);
    this.#labels.push(label);
    this.#parents.push([parent]);
    this.#nextLayer.push(world);
  }

  /** Returns the next unexplored world in the order of visits. Layers are dropped when done, to save memory. */
  take(): World | undefined {
    if (this.#taken === this.#layer.length) {
      this.#layer = this.#nextLayer;
      this.#nextLayer = [];
      this.#taken = 0;
    }
    return this.#layer[this.#taken++];
  }

  traceTo(index: number): readonly string[] {
    return index <= 0 ? [] : [...this.traceTo(at(at(this.#parents, index), 0)), at(this.#labels, index)];
  }

  /** Returns the first state from which no way leads to an end. Walks back from the ends. */
  findStuck(): number | undefined {
    const canEnd = new Set(this.#ended);
    for (const index of canEnd) for (const parent of at(this.#parents, index)) if (parent >= 0) canEnd.add(parent);
    const stuck = this.#labels.findIndex((_label, index) => !canEnd.has(index));
    return stuck < 0 ? undefined : stuck;
  }
}

/** Whether nothing is left to do: every call and every request has its end. */
function hasEnded(world: World): boolean {
  const isIdle = world.calls.every(({ step }) => step === "over" || step === "to come");
  return isIdle && world.wire.length === 0 && world.requests.every(({ state }) => !OPEN.has(state));
}
