/** Moves of requests and attempts, recorded under the state names of `src/trading/order-states.ts`. */
import { USER_AFTER } from "./rules.ts";
import type { Attempt, Request, World } from "./world.ts";

/** Moves a request to another state. */
export function moveRequest(world: World, request: Request, to: Request["state"]): void {
  if (request.state !== to) world.moves.add(`request: ${nameOf(world, request)} → ${to.replace(" ", "_")}`);
  request.state = to;
}

/** Moves an attempt to another state. */
export function moveAttempt(world: World, attempt: Attempt, to: Attempt["state"]): void {
  if (attempt.state !== to) world.moves.add(`attempt: ${attempt.state} → ${to}`);
  attempt.state = to;
}

/** Names a request's state. An unknown one that the user may decide about is `unresolved`, which the model does not store. */
function nameOf(world: World, { state, attempt }: Request): string {
  const sentAt = world.attempts[attempt]?.at ?? world.now;
  return state === "unknown" && world.now - sentAt >= USER_AFTER ? "unresolved" : state.replace(" ", "_");
}
