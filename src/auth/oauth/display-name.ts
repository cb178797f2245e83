/** Longest name shown. */
const MAX_LENGTH = 80;

/**
 * Makes a name that a stranger chose fit to be shown: no control, format (bidi, zero-width) or private characters, no
 * line breaks, spaces run together, at most 80 characters. Answers `fallback` when nothing is left.
 */
export function displayName(claimed: unknown, fallback: string): string {
  if (typeof claimed !== "string") return fallback;
  const plain = claimed
    .slice(0, 4 * MAX_LENGTH)
    .toWellFormed()
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\u2028\u2029\ufffd]/gu, " ")
    // No more than two marks on one letter: stacks of them reach over other lines.
    .replace(/(\p{M}{2})\p{M}+/gu, "$1")
    .replace(/\s+/gu, " ")
    .trim();
  if (plain === "") return fallback;
  const characters = [...plain];
  return characters.length <= MAX_LENGTH
    ? plain
    : `${characters
        .slice(0, MAX_LENGTH - 1)
        .join("")
        .trimEnd()}…`;
}
