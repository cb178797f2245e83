import { plainText } from "../../lib/plain-text.ts";

/** Longest name shown in full. */
const MAX_CHARACTERS = 80;

/** Shows a name that somebody chose: cleaned, and kept from changing the direction of the text around it. */
export function PlainName({ value, fallback = "–" }: { readonly value: string; readonly fallback?: string }) {
  const name = plainText(value, MAX_CHARACTERS);
  return <bdi>{name === "" ? fallback : name}</bdi>;
}
