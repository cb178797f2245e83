import type { FaultSpec } from "./control/faults.ts";
import type { PacingOptions } from "./http/pacing.ts";
import { prepareSimulator } from "./prepare-simulator.ts";
import type { Simulator, SimulatorOptions } from "./prepare-simulator.ts";
import type { SimulatorCredentials } from "./session/consumer.ts";
import type { UserKind } from "./trading/demo.ts";
import type { TakenOrder } from "./trading/taken-orders.ts";

export type { FaultSpec, PacingOptions, Simulator, SimulatorCredentials, SimulatorOptions, TakenOrder, UserKind };

/**
 * Starts IBKR's Web API on this machine: simulated accounts, orders, market and OAuth 1.0a over real HTTP.
 * Rejects when the state file or the credentials can't be used, and with node's error when it can't listen.
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const prepared = await prepareSimulator(options);
  return prepared.listen();
}
