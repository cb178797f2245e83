import { Button, ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { withReturnPath } from "../../pages/return-path.ts";
import { consentTexts as texts } from "../../pages/texts/consent.ts";
import type { AuthorizationRequest } from "../oauth/consent-desk.ts";
import type { SignedIn } from "../sign-in/browser-session.ts";
import { AskingApp } from "./asking-app.tsx";

/** Says on whose behalf the page decides, and lets another person sign in and come back. */
export function SignedInAs({ signedIn, back }: { readonly signedIn: SignedIn; readonly back: string }) {
  return (
    <form class="signed-in-as" method="post" action="/sign-out">
      <FormToken token={signedIn.formToken} />
      <input type="hidden" name="return_to" value={back} />
      <span>
        {texts.signedInAs}{" "}
        <strong>
          <PlainName value={signedIn.displayName} />
        </strong>
      </span>
      <button type="submit" class="button quiet small">
        {texts.switchAccount}
      </button>
    </form>
  );
}

/** For a person without connections: who asks, the way to add one and back, or no. */
export function FirstConnection({ request, formToken }: { readonly request: AuthorizationRequest; readonly formToken: string }) {
  return (
    <>
      <AskingApp request={request} />
      <EmptyState title={texts.noConnection.title}>
        <p>{texts.noConnection.message}</p>
        <LinkButton kind="primary" href={withReturnPath("/console/connections/new", `/consent/${request.interactionId}`)}>
          {texts.noConnection.add}
        </LinkButton>
      </EmptyState>
      <form method="post" class="stack">
        <FormToken token={formToken} />
        <ButtonRow>
          <Button kind="secondary" name="decision" value="deny" busyLabel={texts.denying}>
            {texts.deny}
          </Button>
        </ButtonRow>
      </form>
    </>
  );
}
