import { Card } from "../../pages/components/card.tsx";
import { Field } from "../../pages/components/field.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { RelativeTime } from "../../pages/components/relative-time.tsx";
import { accountTexts } from "../../pages/texts/account.ts";
import { signInTexts } from "../../pages/texts/sign-in.ts";
import type { OidcIdentityRow } from "../../storage/oidc-identities.ts";
import type { PasskeyRow } from "../../storage/passkeys.ts";
import { SmallForm } from "./account-view.tsx";
import type { SignedIn } from "./browser-session.ts";
import type { OidcProvider } from "./oidc.ts";
import { ProviderForm } from "./sign-in-view.tsx";

/** How a person can sign in. */
export interface SignInMethods {
  readonly loginName: string | undefined;
  readonly passkeys: readonly PasskeyRow[];
  readonly identities: readonly OidcIdentityRow[];
  readonly providers: readonly OidcProvider[];
  readonly passkeySupport: "offered" | "ip_address";
  readonly scriptPath: string;
}

export interface MethodsCardProps {
  readonly user: SignedIn;
  readonly now: number;
  readonly methods: SignInMethods;
}

/** The ways to sign in, to be added and removed. */
export function MethodsCard({ user, now, methods }: MethodsCardProps) {
  const texts = accountTexts.methods;
  return (
    <Card heading={texts.heading} id="methods">
      <p>
        {texts.password}: {methods.loginName === undefined ? texts.none : texts.passwordSet(methods.loginName)}
      </p>
      <h3>{texts.passkeys}</h3>
      {methods.passkeys.length === 0 ? <p class="hint">{texts.noPasskeys}</p> : <PasskeyList user={user} now={now} methods={methods} />}
      <NewPasskey user={user} methods={methods} />
      {(methods.providers.length > 0 || methods.identities.length > 0) && <Accounts user={user} methods={methods} />}
      <script src={methods.scriptPath} defer></script>
    </Card>
  );
}

function PasskeyList({ user, now, methods }: MethodsCardProps) {
  const texts = accountTexts.methods;
  return (
    <ul>
      {methods.passkeys.map((passkey) => (
        <li>
          <PlainName value={passkey.label} />
          {passkey.backed_up === 1 && `, ${texts.synced}`}
          {passkey.last_used_at === null ? (
            `, ${texts.neverUsed}`
          ) : (
            <>
              , {texts.lastUsed} <RelativeTime at={passkey.last_used_at} now={now} />
            </>
          )}
          <SmallForm action="/account/passkeys/remove" user={user} fields={{ passkey: passkey.id }}>
            {texts.remove}
          </SmallForm>
        </li>
      ))}
    </ul>
  );
}

function NewPasskey({ user, methods }: Omit<MethodsCardProps, "now">) {
  const texts = accountTexts.methods;
  if (methods.passkeySupport === "ip_address") return <p class="hint">{signInTexts.passkeyIpAddress}</p>;
  return (
    <>
      <div data-with-passkeys="" hidden>
        <Field name="passkey_label" label={texts.passkeyLabel} hint={texts.passkeyLabelHint} maxLength={60} />
        <button
          type="button"
          class="button secondary"
          data-passkey="add"
          data-token={user.formToken}
          data-label-field="passkey_label"
          data-status="passkey-status"
          data-failed={signInTexts.passkeyFailed}
        >
          {texts.addPasskey}
        </button>
        <p class="field-error" id="passkey-status" role="alert"></p>
      </div>
      <p class="hint" data-without-passkeys="">
        {texts.passkeyNeedsScript}
      </p>
    </>
  );
}

function Accounts({ user, methods }: Omit<MethodsCardProps, "now">) {
  const texts = accountTexts.methods;
  const nameOf = (issuer: string): string => methods.providers.find((provider) => provider.issuer === issuer)?.name ?? issuer;
  return (
    <>
      <h3>{texts.accounts}</h3>
      {methods.identities.length > 0 && (
        <ul>
          {methods.identities.map((identity) => (
            <li>
              {nameOf(identity.issuer)} <PlainName value={identity.email ?? identity.subject} />
              <SmallForm action="/account/methods/remove" user={user} fields={{ issuer: identity.issuer, subject: identity.subject }}>
                {texts.remove}
              </SmallForm>
            </li>
          ))}
        </ul>
      )}
      {methods.providers.map((provider) => (
        <ProviderForm provider={provider} label={texts.add(provider.name)} fields={{ form_token: user.formToken, purpose: "add" }} />
      ))}
    </>
  );
}
