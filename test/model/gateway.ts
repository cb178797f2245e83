/** The gateway: the guard on arrival, the decision in the account's turn, and the sending. */
import { moveAttempt, moveRequest } from "./moves.ts";
import { finish, lose } from "./outcomes.ts";
import { check, FORCE, TWIN } from "./promises.ts";
import { RESEND_WITHIN, type Rules } from "./rules.ts";
import { at, type Attempt, type Call, type Request, type World } from "./world.ts";

/** States in which a request has not ended. */
export const OPEN: ReadonlySet<Request["state"]> = new Set(["received", "sending", "unknown"]);

/** Lets a call arrive at a process: it is refused, or its request's row is written. */
export function arrive(world: World, rules: Rules, { call, process }: { call: Call; process: number }): void {
  Object.assign(call, { step: "waiting", process, at: world.now });
  if (world.revokedAt !== undefined) return finish(call);
  if (!rules.guardsOnArrival || world.requests.some(({ name }) => name === call.name)) return;
  bury(world, rules);
  const isDouble = !call.isNamed && world.requests.some(({ state }) => OPEN.has(state) || state === "placed");
  if (isDouble) return finish(call);
  world.requests.push({ name: call.name, state: "received", attempt: -1, owner: process });
}

/** Closes rows of dead processes: what may have been sent is unknown, what never was is not placed. */
export function bury(world: World, rules: Rules): void {
  if (!rules.knowsWhoLives) return;
  for (const attempt of world.attempts) if (attempt.state === "sending" && world.alive[attempt.owner] === false) lose(world, attempt);
  for (const request of world.requests)
    if (request.state === "received" && world.alive[request.owner] === false) moveRequest(world, request, "not placed");
}

/** Whether a call may have the account's turn. */
export function isTurnFree(world: World, rules: Rules, call: Call): boolean {
  const isBusyHere = world.calls.some((other) => other.process === call.process && (other.step === "allowed" || other.step === "sent"));
  const isBusyAnywhere = world.attempts.some((attempt) => attempt.state === "sending" && world.alive[attempt.owner] === true);
  return !isBusyHere && !(rules.turnIsARow && isBusyAnywhere);
}

/** Decides in one transaction, in the account's turn, whether a call's order is sent, and writes the row that permits it. */
export function decide(world: World, rules: Rules, call: Call): void {
  bury(world, rules);
  const blind = new Set<Request["state"]>(call.isNamed ? ["unknown"] : ["unknown", "sending"]);
  const isRefused =
    (rules.asksAgain && world.revokedAt !== undefined) || world.requests.some(({ name, state }) => name !== call.name && blind.has(state));
  const request = world.requests.find(({ name }) => name === call.name) ?? {
    name: call.name,
    state: "received",
    attempt: -1,
    owner: call.process,
  };
  if (request.state === "received") {
    if (isRefused) return giveUp(world, call);
    if (!world.requests.includes(request)) world.requests.push(request);
    return allow(world, call, { request, cOID: world.attempts.length });
  }
  const last = world.attempts[request.attempt];
  const mayProbe = rules.trustsRefusals && request.state === "unknown" && world.now - (last?.at ?? 0) < RESEND_WITHIN;
  if (isRefused || !(request.state === "not placed" || request.state === "asked" || mayProbe)) return finish(call);
  // A declined question is IBKR's definite no to that cOID: the confirmed order gets the next one.
  const isSame = rules.keepsCoid && request.state !== "asked" && last !== undefined;
  allow(world, call, { request, cOID: isSame ? request.attempt : world.attempts.length });
}

function allow(world: World, call: Call, { request, cOID }: { request: Request; cOID: number }): void {
  const last = world.attempts[cOID];
  if (last !== undefined) moveAttempt(world, last, "sending");
  moveRequest(world, request, "sending");
  world.attempts[cOID] = {
    request: world.requests.indexOf(request),
    state: "sending",
    owner: call.process,
    at: world.now,
    wallAt: world.now + world.wallAhead,
    doubt: last?.doubt ?? false,
    left: last?.left ?? false,
  };
  request.attempt = cOID;
  Object.assign(call, { step: "allowed", attempt: cOID, at: world.now });
  // A repeated call wants the order: an earlier report about this cOID no longer counts.
  world.denied = world.denied.filter((denied) => denied !== cOID);
}

/** Sends a permitted order. */
export function send(world: World, call: Call): void {
  const attempt = at(world.attempts, call.attempt);
  const isLost = ({ state, owner, left }: Attempt): boolean =>
    left && (state === "unknown" || (state === "sending" && world.alive[owner] === false));
  const isTwin = world.attempts.some((other) => other.request !== attempt.request && isLost(other));
  check(world, FORCE, world.revokedAt !== undefined && world.now > world.revokedAt);
  check(world, TWIN, isTwin);
  attempt.left = true;
  Object.assign(call, { step: "sent", at: world.now });
  world.wire.push({ cOID: call.attempt, at: world.now, call: world.calls.indexOf(call) });
}

/** Ends a call without sending. A request that was only received is not placed. */
export function giveUp(world: World, call: Call): void {
  const request = world.requests.find(({ name }) => name === call.name);
  if (request?.state === "received") moveRequest(world, request, "not placed");
  finish(call);
}
