import type { Market, SimInstrument } from "../market.ts";

/** The instrument that a text or number names as a conid, or undefined. */
export function readInstrument(market: Market, value: unknown): SimInstrument | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^\d{1,10}$/.test(text) ? market.instrument(Number(text)) : undefined;
}
