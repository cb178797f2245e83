import type { ConnectedApp } from "../../auth/connected-apps.ts";
import { Badge } from "../../pages/components/badge.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { appTexts as texts } from "../../pages/texts/apps.ts";

/** Who an app is, as far as that is known: the same as its owner was told when they let it in. */
export function AppName({ app }: { readonly app: ConnectedApp }) {
  return (
    <>
      <strong>
        <PlainName value={app.name} />
      </strong>
      <span class="cell-note hint">
        <Identity app={app} />
      </span>
    </>
  );
}

function Identity({ app: { identity, clientHost, redirectUri } }: { readonly app: ConnectedApp }) {
  if (identity === "registered" || clientHost === undefined) {
    return (
      <>
        <Badge tone="warn">{texts.unchecked}</Badge> {texts.claims} {texts.sentTo} <bdi>{redirectTarget(redirectUri)}</bdi>
      </>
    );
  }
  const publisher = identity === "built_in" ? texts.builtIn : texts.verified;
  return (
    <>
      <Badge tone="good">{texts.checked}</Badge> {publisher(clientHost)}
    </>
  );
}

/** The host that the browser was sent back to, or the scheme of an app on the device. */
function redirectTarget(redirectUri: string): string {
  const url = URL.parse(redirectUri);
  if (url === null) return redirectUri;
  return url.host === "" ? url.protocol : url.host;
}
