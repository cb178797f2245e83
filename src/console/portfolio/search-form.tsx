import { portfolioTexts } from "../../pages/texts/portfolio.ts";
import { searchPath } from "./portfolio-address.ts";

/** Longest text that is searched for. */
export const MAX_QUERY_LENGTH = 60;

/** A box that finds any security. */
export function SearchForm({ connectionId, query = "" }: { readonly connectionId: string; readonly query?: string }) {
  const texts = portfolioTexts.search;
  return (
    <form class="search" role="search" method="get" action={searchPath(connectionId)}>
      <label class="visually-hidden" for="security-query">
        {texts.label}
      </label>
      <input
        type="search"
        id="security-query"
        name="q"
        value={query}
        placeholder={texts.placeholder}
        maxlength={MAX_QUERY_LENGTH}
        autocomplete="off"
        spellcheck={false}
        required
      />
      <button type="submit" class="button secondary small">
        {texts.button}
      </button>
    </form>
  );
}
