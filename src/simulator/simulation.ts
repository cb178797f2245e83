import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Faults } from "./control/faults.ts";
import type { Market } from "./market/market.ts";
import type { Trading } from "./trading/trading.ts";

/** The simulated world that every endpoint sees. */
export interface Simulation {
  readonly clock: Clock;
  readonly random: Random;
  readonly market: Market;
  readonly trading: Trading;
  /** What is made to go wrong on purpose. */
  readonly faults: Faults;
}
