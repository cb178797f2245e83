import { plainText } from "../../lib/plain-text.ts";

/** Longest name shown. */
const MAX_LENGTH = 80;

/** Makes a name that a stranger chose fit to be shown, at most 80 characters. Answers `fallback` when nothing is left. */
export function displayName(claimed: unknown, fallback: string): string {
  const plain = typeof claimed === "string" ? plainText(claimed, MAX_LENGTH) : "";
  return plain === "" ? fallback : plain;
}
