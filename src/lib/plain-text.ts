/**
 * Makes a text that somebody chose fit to be shown beside ours: no control, format (bidi, zero-width) or private
 * characters, no line breaks, spaces run together, at most `maxCharacters` of them. Answers an empty text when nothing is left.
 */
export function plainText(value: string, maxCharacters: number): string {
  const plain = value
    .slice(0, 4 * maxCharacters)
    .toWellFormed()
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\u2028\u2029\ufffd]/gu, " ")
    // No more than two marks on one letter: stacks of them reach over other lines.
    .replace(/(\p{M}{2})\p{M}+/gu, "$1")
    .replace(/\s+/gu, " ")
    .trim();
  const characters = Array.from(plain);
  if (characters.length <= maxCharacters) return plain;
  const cut = characters.slice(0, maxCharacters - 1).join("");
  return `${cut.trimEnd()}…`;
}
