/** Calls: they arrive, wait for their turn, and are sent or not. */
import { arrive, decide, giveUp, isTurnFree, send } from "./gateway.ts";
import { conclude } from "./outcomes.ts";
import { ANSWER_LIMIT, type Rules, TURN_LIMIT } from "./rules.ts";
import type { Scene } from "./scene.ts";
import { at, type Call, spend, type World } from "./world.ts";

/** Adds everything that can happen to calls. */
export function movesOfCallers({ world, rules, add }: Scene): void {
  for (const [index, call] of world.calls.entries()) {
    const move = (label: string, change: (next: World, mine: Call) => void): void =>
      add(`call ${index + 1} (${call.name}) ${label}`, (next) => change(next, at(next.calls, index)));
    if (call.step === "to come" && world.calls[index - 1]?.step !== "to come") {
      // Which process gets the first call is only a name.
      for (const [process, isAlive] of world.alive.entries())
        if (isAlive && (index > 0 || process === 0))
          move(`arrives at process ${process + 1}`, (next, mine) => arrive(next, rules, { call: mine, process }));
    } else if (call.step === "waiting") {
      if (world.now - call.at > TURN_LIMIT) move("waited too long", giveUp);
      else if (isTurnFree(world, rules, call)) move("has its turn", (next, mine) => decide(next, rules, mine));
    } else if (call.step === "allowed") movesOfAllowed({ world, rules }, call, move);
    else if (call.step === "sent" && world.now - call.at >= ANSWER_LIMIT)
      move("gives up waiting", (next, mine) => conclude(next, mine, undefined));
  }
}

function movesOfAllowed(
  { world, rules }: { world: World; rules: Rules },
  call: Call,
  move: (label: string, change: (next: World, mine: Call) => void) => void,
): void {
  if (rules.asksAgain && world.now > call.at)
    return move("is not sent: its permission is old", (next, mine) => conclude(next, mine, "never left"));
  move(`sends cOID ${call.attempt}`, send);
  if (world.left.unreachable === 0) return;
  move("can't reach IBKR", (next, mine) => {
    spend(next, "unreachable");
    conclude(next, mine, "never left");
  });
}
