/** Copies of worlds, and the key by which the search recognizes one. Written out by hand: both run millions of times. */
import { PROMISES } from "./promises.ts";
import { ATTEMPT_STATES, REQUEST_STATES, STEPS, type World } from "./world.ts";

/** Copies a world. Stamps, packets and fault counts are never changed in place, so copies share them. */
export function copyOf(world: World): World {
  return {
    ...world,
    alive: world.alive.slice(),
    calls: world.calls.map((call) => ({ ...call })),
    requests: world.requests.map((request) => ({ ...request })),
    attempts: world.attempts.map((attempt) => ({ ...attempt })),
    wire: world.wire.slice(),
    orders: world.orders.slice(),
    known: world.known.slice(),
    questions: world.questions.slice(),
    left: world.left,
    denied: world.denied.slice(),
    broken: world.broken.slice(),
  };
}

/** Numbers start at -2 (no revocation); characters at 0. */
const SHIFT = 2;
const NEVER = -2;

/** Returns a text that two worlds of one scenario share only if they are equal. */
export function keyOf(world: World): string {
  const { left } = world;
  const codes = [world.now, world.wallAhead, world.revokedAt ?? NEVER];
  for (const isAlive of world.alive) codes.push(Number(isAlive));
  for (const { step, process, attempt, at } of world.calls) codes.push(STEPS.indexOf(step), process, attempt, at);
  codes.push(world.requests.length);
  for (const { name, state, attempt, owner } of world.requests) {
    const first = world.calls.findIndex((call) => call.name === name);
    codes.push(first, REQUEST_STATES.indexOf(state), attempt, owner);
  }
  codes.push(world.attempts.length);
  for (const { request, state, owner, at, wallAt, doubt, left: hasLeft } of world.attempts)
    codes.push(request, ATTEMPT_STATES.indexOf(state), owner, at, wallAt, Number(doubt), Number(hasLeft));
  codes.push(world.wire.length);
  for (const { cOID, at, call } of world.wire) codes.push(cOID, at, call);
  for (const stamps of [world.orders, world.known, world.questions]) {
    codes.push(stamps.length);
    for (const { cOID, at } of stamps) codes.push(cOID, at);
  }
  codes.push(left.crashes, left.jumps, left.revocations, left.questions, left.refusals, left.unreachable, left.copies);
  codes.push(world.denied.length, ...world.denied);
  for (const promise of world.broken) codes.push(PROMISES.indexOf(promise));
  for (let index = 0; index < codes.length; index += 1) codes[index] = (codes[index] ?? 0) + SHIFT;
  return String.fromCharCode(...codes);
}
