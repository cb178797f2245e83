/** Variables by which `script/test --date` shifts the clock of a program; see the manual of faketime. */
const SHIFTS: ReadonlySet<string> = new Set(["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_SHARED"]);

/** Returns the variables that give a program the clock of the tests; none without `--date`. */
export function clockOfTests(): Record<string, string> {
  if (process.env["FAKETIME"] === undefined) return {};
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value = ""]) => (SHIFTS.has(name) ? [[name, value]] : [])));
}

/** Returns this process's environment, less what would shift a program's clock. */
export function withRealClock(): Record<string, string | undefined> {
  if (process.env["FAKETIME"] === undefined) return process.env;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !SHIFTS.has(name)));
}
