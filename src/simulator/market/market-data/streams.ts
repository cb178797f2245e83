import type { BrokerageState } from "../../session/session.ts";

type Streams = BrokerageState["streams"];

/** Market data lines of a user. */
const MAX_LINES = 100;
/** A stream that nobody asks for ends after ten minutes; the next poll is a pre-flight again. */
const IDLE_MS = 600_000;

/**
 * Counts a poll of a contract's stream and opens it when there is none: 1 is the pre-flight.
 * Undefined when all lines are taken: the contract then stays empty without an error.
 */
export function pollStream(streams: Streams, conid: number, now: number): number | undefined {
  for (const [other, stream] of streams) if (now - stream.lastUsedAt > IDLE_MS) streams.delete(other);
  const open = streams.get(conid);
  if (open !== undefined) {
    open.polls += 1;
    open.lastUsedAt = now;
    return open.polls;
  }
  if (streams.size >= MAX_LINES) return undefined;
  streams.set(conid, { openedAt: now, lastUsedAt: now, polls: 1 });
  return 1;
}

/** Ends a stream; false when there was none. */
export function closeStream(streams: Streams, conid: number): boolean {
  return streams.delete(conid);
}

/** Keeps a contract's stream open for a subscription that needs no polls; false when all lines are taken. */
export function holdStream(streams: Streams, conid: number, now: number): boolean {
  const open = streams.get(conid);
  if (open === undefined) return pollStream(streams, conid, now) !== undefined;
  open.lastUsedAt = now;
  return true;
}
