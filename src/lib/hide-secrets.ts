/*
 * Look-behinds and a look-ahead keep the time of these patterns in proportion to the text: a word is tried from its start only.
 */
/** Texts that are secrets wherever they appear: the gateway's keys, bearer values, JSON web tokens (signed or encrypted), PEM blocks. */
const SECRET_TEXT =
  /ibkr_[\w-]{20,}|bearer\s+[\w.~+/=-]{8,}|(?<![\w-])(?=[\w-]*eyJ[\w-]{8})[\w-]+\.[\w-]{8,}(?:\.[\w-]*)+|-----BEGIN[^-]{0,60}-----[\s\S]*/gi;
/** `password=…`, `"api_key": "…"`: a value that its name makes a secret, quoted or up to the next separator. */
const NAMED_SECRET =
  /(?:token|secret|passw(?:or)?d|passphrase|api[ _-]?key|credentials?)\\*["']?\s*[=:]\s*(?:\\*"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s"',;&]+)/gi;
const LAST_WORD = /(?<!\S)\S+$/;
/** A key or token from its start. */
const HALF = /(?:ibkr_|eyJ).*/is;
/** Longest word at a cut that is left out whole: longer ones are no names or numbers. */
const MAX_NAME = 99;

/**
 * Returns a text with `[secret]` in place of every secret.
 * Of a text over `maxLength`, only the start is returned, without what may be half a secret at the cut.
 */
export function hideSecrets(text: string, maxLength = Infinity): string {
  const shown = text.slice(0, maxLength).replace(SECRET_TEXT, "[secret]").replace(NAMED_SECRET, "[secret]");
  return text.length <= maxLength ? shown : shown.replace(LAST_WORD, withoutHalf);
}

function withoutHalf(word: string): string {
  return word.length <= MAX_NAME ? "" : word.replace(HALF, "");
}
