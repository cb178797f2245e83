/** IBKR: takes orders, asks, refuses, and loses messages on the way. */
import { conclude, type End } from "./outcomes.ts";
import { check, ONE, TRUE, WHY } from "./promises.ts";
import { FOREVER, type Scenario } from "./scenario.ts";
import type { Scene } from "./scene.ts";
import { at, type Attempt, type Packet, spend, type Stamp, type World } from "./world.ts";

/** Adds everything that can happen to orders on their way and to questions. */
export function movesOfBroker(scene: Scene): void {
  const { world, scenario, add } = scene;
  for (const [index, packet] of world.wire.entries()) movesOfPacket(scene, index, packet);
  for (const [index, { cOID }] of world.questions.entries()) {
    // IBKR refuses a second order of one cOID from any source.
    if (scenario.refusesTwice > 0 && world.orders.some((order) => order.cOID === cOID)) continue;
    add(`a stale question of cOID ${cOID} goes live`, (next) => {
      next.questions.splice(index, 1);
      take(next, scenario, cOID);
    });
  }
}

function movesOfPacket({ world, scenario, add }: Scene, index: number, { cOID, at: sentAt, call }: Packet): void {
  const sender = world.calls[call];
  const canHear = sender?.step === "sent" && sender.attempt === cOID && world.alive[sender.process] === true;
  const respond = (label: string, effect: (next: World) => void, end: End): void => {
    const change = (next: World): void => {
      next.wire.splice(index, 1);
      effect(next);
    };
    if (canHear)
      add(`IBKR ${label} cOID ${cOID}`, (next) => {
        change(next);
        conclude(next, at(next.calls, call), end);
      });
    if (!canHear || scenario.losesAnswers === true) add(`IBKR ${label} cOID ${cOID}, its response is lost`, change);
  };
  const hear = (next: World, fault: "questions" | "refusals"): void => {
    spend(next, fault);
    if (scenario.knowsWhatItAsked === true) learn(next, scenario, cOID);
  };
  const isKnown = world.known.some((one) => one.cOID === cOID && world.now - one.at < scenario.refusesTwice);
  if (isKnown) respond("refuses a second", () => undefined, undefined);
  else respond("takes", (next) => take(next, scenario, cOID), "accepted");
  if (!isKnown && world.left.questions > 0) {
    // The gateway declines immediately. IBKR takes that no, or its fate is unknown and the question may go live later.
    respond("asks about, and takes the gateway's no to", (next) => hear(next, "questions"), "asked");
    const missNo = (next: World): void => {
      hear(next, "questions");
      next.questions.push({ cOID, at: sentAt });
    };
    respond("asks about, and misses the gateway's no to", missNo, undefined);
  }
  if (!isKnown && world.left.refusals > 0) respond("refuses", (next) => hear(next, "refusals"), "no");
  add(`cOID ${cOID} is lost on its way`, (next) => void next.wire.splice(index, 1));
  if (world.left.copies > 0)
    add(`cOID ${cOID} is doubled on its way`, (next) => {
      spend(next, "copies");
      next.wire.push({ cOID, at: sentAt, call });
    });
}

/** Makes an order at IBKR. Most promises are checked here. */
function take(world: World, scenario: Scenario, cOID: number): void {
  const wishOf = ({ request }: Attempt): string => (scenario.calls.includes("B") ? at(world.requests, request).name : "the wish");
  const attempt = at(world.attempts, cOID);
  const isSecond = world.orders.some((order) => wishOf(at(world.attempts, order.cOID)) === wishOf(attempt));
  check(world, WHY, !attempt.left);
  check(world, TRUE, world.denied.includes(cOID));
  check(world, ONE, isSecond);
  world.orders.push(stamp(world, cOID, scenario.listLag));
  learn(world, scenario, cOID);
}

function learn(world: World, scenario: Scenario, cOID: number): void {
  world.known.push(stamp(world, cOID, scenario.refusesTwice));
}

/** A moment that nothing is compared with is 0, so that worlds with the same future are one. */
function stamp({ now }: World, cOID: number, limit: number): Stamp {
  return { cOID, at: limit === 0 || limit === FOREVER ? 0 : now };
}
