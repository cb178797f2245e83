import { Card } from "../../pages/components/card.tsx";
import { DescriptionList } from "../../pages/components/description-list.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { consentTexts as texts } from "../../pages/texts/consent.ts";
import type { AuthorizationRequest } from "../oauth/consent-desk.ts";

/** Says who asks, as far as that is known, and where the person will be sent; warns of what nobody has checked. */
export function AskingApp({ request }: { readonly request: AuthorizationRequest }) {
  const warnings = warningsOf(request);
  return (
    <>
      <Card heading={texts.whoAsks}>
        <DescriptionList
          rows={[
            { name: texts.claimedName, value: <PlainName value={request.claimedName} /> },
            { name: texts.client, value: request.clientHost ?? texts.selfRegistered },
            { name: texts.redirect, value: <RedirectTarget request={request} /> },
          ]}
        />
      </Card>
      {warnings.length > 0 && (
        <Notice tone="warning" title={texts.warningTitle}>
          {warnings.map((warning) => (
            <p>{warning}</p>
          ))}
        </Notice>
      )}
    </>
  );
}

function RedirectTarget({ request }: { readonly request: AuthorizationRequest }) {
  const url = URL.parse(request.redirectUri);
  const host = url === null || url.host === "" ? request.redirectUri : url.host;
  switch (request.redirectKind) {
    case "https":
      return <bdi>{host}</bdi>;
    case "loopback":
      return (
        <>
          <bdi>{host}</bdi> <span class="hint">({texts.redirectLoopback})</span>
        </>
      );
    case "custom_scheme":
      return (
        <>
          <bdi>{url?.protocol ?? request.redirectUri}</bdi> <span class="hint">({texts.redirectScheme})</span>
        </>
      );
  }
}

function warningsOf(request: AuthorizationRequest): readonly string[] {
  const { registered, built_in: builtIn } = texts.warnings;
  return [
    ...(request.identity === "registered" ? [registered] : []),
    ...(request.identity === "built_in" ? [builtIn] : []),
    ...(request.redirectKind === "https" ? [] : [texts.warnings[request.redirectKind]]),
  ];
}
