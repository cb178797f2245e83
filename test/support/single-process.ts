import type { Processes } from "../../src/storage/processes.ts";

/** A world with one process, which lives: for tests whose clock stands while real sockets would answer. */
export function singleProcess(id = "prc_0000000000000001"): Processes {
  return { hold: () => Promise.resolve(id), isAlive: (other) => Promise.resolve(other === id), close: () => Promise.resolve() };
}
