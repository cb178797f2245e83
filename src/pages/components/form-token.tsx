/** Name of the field that every form carries. */
export const FORM_TOKEN_FIELD = "form_token";

/** The hidden field that proves that a form came from a page shown to this session. */
export function FormToken({ token }: { readonly token: string }) {
  return <input type="hidden" name={FORM_TOKEN_FIELD} value={token} />;
}
