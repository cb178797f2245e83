/** What the actors see of a state, and how they add what can happen next. */
import type { Rules } from "./rules.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

/** One state, seen by an actor. `add` changes a copy: the world itself never changes. */
export interface Scene {
  readonly world: Readonly<World>;
  readonly rules: Rules;
  readonly scenario: Scenario;
  readonly add: (label: string, change: (next: World) => void) => void;
}
