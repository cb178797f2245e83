import { type ReadToolsets, readToolsets } from "../connections/toolsets.ts";

/**
 * Reads the sets of tools that a request's address asks for (`/mcp?toolsets=a,b`), which then stand in place of its key's or grant's.
 * Answers undefined when the address says nothing of sets.
 */
export function askedToolsets(url: string | undefined): ReadToolsets | undefined {
  const start = url?.indexOf("?") ?? -1;
  if (url === undefined || start < 0) return undefined;
  // Node's limit on the size of a request's head bounds it.
  const values = new URLSearchParams(url.slice(start + 1)).getAll("toolsets");
  // A space is what a plus sign between two names becomes.
  return values.length === 0 ? undefined : readToolsets(values.flatMap((value) => value.split(/[,\s]+/)));
}
