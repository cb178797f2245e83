import { errorTexts } from "../texts/errors.ts";
import { LinkButton, ButtonRow } from "./button.tsx";
import type { ErrorPageDetails } from "../page-renderer.tsx";

/** Why a page can't be shown. */
export type ErrorPageKind = "bad_request" | "forbidden" | "not_found" | "expired" | "too_large" | "failure";

/** HTTP status of each kind. */
export const ERROR_STATUS: Readonly<Record<ErrorPageKind, number>> = {
  bad_request: 400,
  forbidden: 403,
  not_found: 404,
  expired: 410,
  too_large: 413,
  failure: 500,
};

/** What happened, what to do, and the number under which the log knows it. */
export function ErrorMessage({ kind, details }: { readonly kind: ErrorPageKind; readonly details: ErrorPageDetails }) {
  return (
    <>
      <p class="lead">{details.message ?? errorTexts[kind].message}</p>
      {details.whatToDo !== "" && <p>{details.whatToDo ?? errorTexts[kind].whatToDo}</p>}
      {details.requestId !== undefined && (
        <p class="hint">
          {errorTexts.requestId}: <code>{details.requestId}</code>
        </p>
      )}
      <ButtonRow>
        <LinkButton href="/">{errorTexts.toStart}</LinkButton>
      </ButtonRow>
    </>
  );
}
