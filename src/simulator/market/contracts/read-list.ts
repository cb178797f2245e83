/** The parts of a comma-separated query value, trimmed, without empty ones. */
export function readList(text: string | null): readonly string[] {
  const parts = (text ?? "").split(",").map((part) => part.trim());
  return parts.filter((part) => part !== "");
}
