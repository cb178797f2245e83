import { plainText } from "../../lib/plain-text.ts";

/** Longest name of a connection: it stands in badges and lists. */
export const MAX_LABEL_LENGTH = 60;

/** Reads a connection's name as it was typed; undefined when nothing readable or too much was. */
export function readLabel(typed: string): string | undefined {
  const label = plainText(typed, MAX_LABEL_LENGTH + 1);
  return label === "" || Array.from(label).length > MAX_LABEL_LENGTH ? undefined : label;
}
