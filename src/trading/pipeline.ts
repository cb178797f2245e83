import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Processes } from "../storage/processes.ts";
import type { Storage } from "../storage/storage.ts";
import type { AccountTurns } from "./account-turns.ts";
import type { Alarm } from "./alarm.ts";
import type { AttemptAges } from "./attempt-ages.ts";
import type { Burial } from "./burial.ts";
import type { OrderEnds } from "./order-end-rows.ts";
import type { OrderWatch } from "./order-watch.ts";
import type { PlacedOrders } from "./placed-orders.ts";

/** Ids of what this process is at work on: judged by nobody else, and by this process only when it has ended. */
export interface Running {
  readonly requests: Set<string>;
  readonly attempts: Set<string>;
}

/** What every part of the order pipeline may use. */
export interface PipelineDeps {
  readonly storage: Storage;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly turns: AccountTurns;
  readonly running: Running;
  readonly ages: AttemptAges;
  readonly burial: Burial;
  readonly ends: OrderEnds;
  readonly watch: OrderWatch;
  readonly placed: PlacedOrders;
  readonly alarm: Alarm;
}
