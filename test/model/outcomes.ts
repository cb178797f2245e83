/** Ends of calls, requests and attempts, with the promises that depend on them. */
import { moveAttempt, moveRequest } from "./moves.ts";
import { check, TRUE } from "./promises.ts";
import { at, type Attempt, type Call, type Request, type World } from "./world.ts";

/** How an exchange with IBKR ends. `undefined`: without a definite end. */
export type End = "accepted" | "no" | "asked" | "never left" | undefined;

/** Ends a call: it got its response, or its process died. */
export function finish(call: Call): void {
  Object.assign(call, { step: "over", process: -1, attempt: -1, at: 0 });
}

/** Reports to callers that a request is not placed. */
export function deny(world: World, request: Request, state: "not placed" | "refused"): void {
  moveRequest(world, request, state);
  for (const [cOID, { request: owner }] of world.attempts.entries()) {
    if (world.requests[owner] !== request) continue;
    world.denied.push(cOID);
    check(
      world,
      TRUE,
      world.orders.some((order) => order.cOID === cOID),
    );
  }
}

/** Records that an attempt is at IBKR. */
export function find(world: World, attempt: Attempt): void {
  moveAttempt(world, attempt, "placed");
  moveRequest(world, at(world.requests, attempt.request), "placed");
}

/** Records that a sending attempt may be at IBKR. */
export function lose(world: World, attempt: Attempt): void {
  if (attempt.state === "sending") {
    moveAttempt(world, attempt, "unknown");
    attempt.doubt = true;
  }
  const request = at(world.requests, attempt.request);
  if (request.state === "sending") moveRequest(world, request, "unknown");
}

/** Ends a call's exchange with IBKR. A no to a later sending of a cOID proves nothing about an earlier one. */
export function conclude(world: World, call: Call, end: End): void {
  const attempt = at(world.attempts, call.attempt);
  const request = at(world.requests, attempt.request);
  if (end === "accepted") find(world, attempt);
  else if (attempt.state === "sending" || attempt.state === "unknown") {
    const isOpen = end === undefined || attempt.doubt;
    moveAttempt(world, attempt, isOpen ? "unknown" : "no");
    attempt.doubt = isOpen;
    if (isOpen) moveRequest(world, request, "unknown");
    else if (end === "asked") moveRequest(world, request, "asked");
    else deny(world, request, end === "no" ? "refused" : "not placed");
  }
  finish(call);
}
