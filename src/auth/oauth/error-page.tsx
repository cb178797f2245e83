import { plainText } from "../../lib/plain-text.ts";
import { Card } from "../../pages/components/card.tsx";
import { DescriptionList } from "../../pages/components/description-list.tsx";
import type { PageRenderer } from "../../pages/page-renderer.tsx";
import { authorizationTexts as texts } from "../../pages/texts/authorization.ts";

/** What went wrong with an authorization, as the OAuth library says it. */
export interface AuthorizationFault {
  readonly error: string;
  readonly description: string | undefined;
}

/** Longest part of the library's own words that is shown. */
const MAX_CODE = 300;

/** A page for the person whose browser a host sent here with a request that can't be answered. Nobody is sent on. */
export function authorizationErrorPage(pages: PageRenderer, { error, description }: AuthorizationFault): Response {
  const { title, paragraphs } = explanationOf(error);
  const code = description === undefined ? error : `${error}: ${description}`;
  const content = (
    <>
      {paragraphs.map((paragraph) => (
        <p>{paragraph}</p>
      ))}
      {error === "invalid_client" && (
        <Card>
          <DescriptionList rows={texts.forgetClient} />
        </Card>
      )}
      <p class="hint">
        <code>{plainText(code, MAX_CODE)}</code>
      </p>
    </>
  );
  return pages.page({ title }, content, { csp: { "form-action": "'none'" } });
}

function explanationOf(error: string) {
  switch (error) {
    case "invalid_client":
    case "invalid_redirect_uri":
    case "session_not_found":
    case "server_error":
    case "too_many":
    case "wrong_method":
      return texts[error];
    default:
      return texts.other;
  }
}
