/** Texts that are secrets wherever they appear: the gateway's keys, bearer values, signed or encrypted JSON web tokens, PEM blocks. */
const SECRET_TEXT =
  /ibkr_[A-Za-z0-9_-]{20,}|bearer\s+[A-Za-z0-9._~+/=-]{8,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)+|-----BEGIN[^-]{0,60}-----[\s\S]*/gi;
/** `password=…`, `"api_key": "…"`: a value that its name makes a secret, quoted or up to the next separator. */
const NAMED_SECRET =
  /(?:token|secret|passw(?:or)?d|passphrase|api[ _-]?key|credentials?)\\*["']?\s*[=:]\s*(?:\\*"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s"',;&]+)/gi;
/** What may be half a secret at a cut: the start of one, or a short word. The look-behind keeps the time linear. */
const HALF = /(?:ibkr_|eyJ|bearer\s)\S*$|(?<!\S)\S{1,99}$/i;

/**
 * Returns a text with `[secret]` in place of every secret.
 * Of a text over `maxLength`, only the start is returned, without what may be half a secret at the cut.
 */
export function hideSecrets(text: string, maxLength = Infinity): string {
  const shown = text.slice(0, maxLength).replace(SECRET_TEXT, "[secret]").replace(NAMED_SECRET, "[secret]");
  return text.length <= maxLength ? shown : shown.replace(HALF, "");
}
