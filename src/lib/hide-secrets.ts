/** Texts that are secrets wherever they stand: our keys, bearer values, JSON web tokens, PEM blocks. */
const SECRET_TEXT =
  /ibkr_[A-Za-z0-9_-]{20,}|bearer\s+[A-Za-z0-9._~+/=-]{8,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*|-----BEGIN[^-]{0,60}-----[\s\S]*/gi;

/** A text with `[secret]` in the place of everything in it that is a secret by its form. */
export function hideSecrets(text: string): string {
  return text.replace(SECRET_TEXT, "[secret]");
}
