import { ERROR_MEANINGS } from "../lib/error-meanings.ts";
import { ERROR_CODES } from "../lib/errors.ts";
import { errorListTexts as texts } from "../pages/texts/error-list.ts";

/** What an error code means and what to do, in one line; a general sentence for one that is not ours. */
export function ErrorMeaning({ code }: { readonly code: string }) {
  const known = ERROR_CODES.find((name) => name === code);
  if (known === undefined) return <>{/^http_4\d\d$/.test(code) ? texts.badRequest : texts.unknownCode}</>;
  // The texts name tools and fields in backticks, as Markdown does.
  const parts = ERROR_MEANINGS[known].split("`");
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>;
}
