import type { Mode } from "../broker/account.ts";

/** Reads a stored mode. Anything that isn't known to be invented counts as real money. */
export function parseMode(mode: string): Mode {
  return mode === "simulated" || mode === "paper" ? mode : "live";
}
