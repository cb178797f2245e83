/** Crashes, clock jumps, revocations, and time. */
import { finish } from "./outcomes.ts";
import { CLOCK_JUMP, HORIZON } from "./scenario.ts";
import type { Scene } from "./scene.ts";
import { spend } from "./world.ts";

/** Adds what happens to processes, clocks and keys. */
export function movesOfFate(scene: Scene): void {
  const { world, add } = scene;
  movesOfCrashes(scene);
  const isOpen = world.attempts.some(({ state }) => state === "sending" || state === "unknown");
  if (world.left.jumps > 0 && isOpen)
    add("the wall clock jumps ahead", (next) => {
      spend(next, "jumps");
      next.wallAhead += CLOCK_JUMP;
    });
  if (world.left.revocations > 0)
    add("the key is revoked", (next) => {
      spend(next, "revocations");
      next.revokedAt = next.now;
    });
  movesOfTime(scene);
}

function movesOfCrashes({ world, add }: Scene): void {
  const survivors = world.alive.filter(Boolean).length;
  for (const [process, isAlive] of world.alive.entries()) {
    const isBusy = world.calls.some((call) => call.process === process);
    if (!isAlive || world.left.crashes === 0 || survivors < 2 || !isBusy) continue;
    add(`process ${process + 1} dies`, (next) => {
      spend(next, "crashes");
      next.alive[process] = false;
      for (const call of next.calls) if (call.process === process) finish(call);
    });
  }
}

function movesOfTime({ world, scenario, add }: Scene): void {
  const isSending = world.calls.some(({ step }) => step === "allowed");
  if (world.now >= HORIZON || (isSending && scenario.suspends !== true)) return;
  add("time passes", (next) => {
    next.now += 1;
    next.wire = next.wire.filter((packet) => next.now - packet.at <= scenario.lateness);
    next.questions = next.questions.filter((question) => next.now - question.at <= scenario.lateness);
  });
}
