/** Looks at IBKR's lists by any living process, and the user, who decides when nothing else can. */
import { bury } from "./gateway.ts";
import { moveAttempt } from "./moves.ts";
import { deny, find, lose } from "./outcomes.ts";
import { ABSENT_AFTER, IN_FLIGHT, type Rules, USER_AFTER } from "./rules.ts";
import type { Scene } from "./scene.ts";
import { at, type Attempt, type Request, type World } from "./world.ts";

/** Adds looks, the user's decisions, and the closing of rows of dead processes. */
export function movesOfWatchers(scene: Scene): void {
  const { world, rules, add } = scene;
  const isOrphan = ({ state, owner }: Request | Attempt): boolean =>
    (state === "received" || state === "sending") && world.alive[owner] === false;
  if (rules.knowsWhoLives && (world.requests.some(isOrphan) || world.attempts.some(isOrphan)))
    add("rows of the dead process are closed", (next) => bury(next, rules));
  for (const [cOID, attempt] of world.attempts.entries()) {
    const runs = world.calls.some(
      (call) => call.attempt === cOID && (call.step === "allowed" || call.step === "sent") && world.alive[call.process] === true,
    );
    if ((attempt.state === "sending" || attempt.state === "unknown") && !(rules.knowsWhoLives && runs)) movesOfOpen(scene, cOID, attempt);
  }
}

function movesOfOpen({ world, rules, scenario, add }: Scene, cOID: number, attempt: Attempt): void {
  const order = world.orders.find((one) => one.cOID === cOID);
  if (order !== undefined) add(`a look finds cOID ${cOID}`, (next) => find(next, at(next.attempts, cOID)));
  if (order === undefined || world.now - order.at < scenario.listLag)
    add(`a look does not find cOID ${cOID}`, (next) => miss(next, rules, at(next.attempts, cOID)));
  if (!rules.listsNeverProveAbsence || attempt.state !== "unknown" || world.now - attempt.at < USER_AFTER) return;
  if (order !== undefined) add(`the user decides that cOID ${cOID} is there`, (next) => find(next, at(next.attempts, cOID)));
  if (order === undefined || scenario.userErrs === true)
    add(`the user decides that cOID ${cOID} is not there`, (next) => {
      const mine = at(next.attempts, cOID);
      moveAttempt(next, mine, "no");
      mine.doubt = false;
      deny(next, at(next.requests, mine.request), "not placed");
    });
}

/** A look without the attempt. Only a protocol that lets lists prove absence concludes anything from that. */
function miss(world: World, rules: Rules, attempt: Attempt): void {
  const wallAge = world.now + world.wallAhead - attempt.wallAt;
  if (rules.listsNeverProveAbsence || (attempt.state === "sending" && wallAge < IN_FLIGHT)) return;
  lose(world, attempt);
  if (wallAge < ABSENT_AFTER) return;
  moveAttempt(world, attempt, "absent");
  const request = at(world.requests, attempt.request);
  if (request.attempt === world.attempts.indexOf(attempt)) deny(world, request, "not placed");
}
