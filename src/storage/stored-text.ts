/** Cuts text from outside to `maxLength` and to what both engines store: PostgreSQL refuses NUL and halves of surrogate pairs. */
export function storedText(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed().replaceAll("\0", "");
}
