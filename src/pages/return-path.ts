/** Longest way back that is kept; an authorization's own parameters fit well. */
const MAX_LENGTH = 8_000;
const BASE = "http://site.invalid";

/**
 * Checks where a person wants to go back to: a path of this site, or undefined for anything that a browser could take
 * for another site (a scheme, `//host`, backslashes, control characters).
 */
export function returnPath(value: unknown): string | undefined {
  // Everything from exclamation mark to tilde but the backslash.
  if (typeof value !== "string" || value.length > MAX_LENGTH || !/^\/(?!\/)[!-[\]-~]*$/.test(value)) return undefined;
  const url = URL.parse(value, BASE);
  if (url === null || url.origin !== BASE || url.pathname.startsWith("//")) return undefined;
  return url.pathname + url.search + url.hash;
}

/** Adds a checked way back to one of our own addresses. */
export function withReturnPath(path: string, back: string | undefined): string {
  return back === undefined ? path : `${path}${path.includes("?") ? "&" : "?"}return_to=${encodeURIComponent(back)}`;
}
