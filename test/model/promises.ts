/** Promises of the order protocol, each named by the sentence that a broken one is reported with. */
import type { World } from "./world.ts";

/** One wish, one order. */
export const ONE = "two orders for one wish";
/** No false no. */
export const TRUE = "reported as not placed, but placed";
/** No order after its permission ended. */
export const FORCE = "an order left after its key was revoked";
/** No order while an equal one is lost. */
export const TWIN = "an order left while an equal one may be at IBKR";
/** Every order has its decision. */
export const WHY = "an order that no decision explains";
/** Every request ends, in the last resort by the user. */
export const END = "a request that nothing ever decides";

/** Every promise. */
export const PROMISES = [ONE, TRUE, FORCE, TWIN, WHY, END] as const;

/** A promise, by the sentence that reports it broken. */
export type Promised = (typeof PROMISES)[number];

/** Records a broken promise, once. */
export function check(world: World, promise: Promised, isBroken: boolean): void {
  if (isBroken && !world.broken.includes(promise)) world.broken.push(promise);
}
