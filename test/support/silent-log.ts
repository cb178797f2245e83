import { pino } from "pino";

import type { Log } from "../../src/lib/log.ts";

/** A log that says nothing. */
export const silentLog: Log = pino({ level: "silent" });

/** A log that keeps its lines for a test to read. */
export function recordingLog(): { readonly log: Log; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { log, lines };
}
