import { Button, ButtonRow } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { Field } from "../../pages/components/field.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { signInTexts } from "../../pages/texts/sign-in.ts";
import type { OidcProvider } from "./oidc.ts";

export interface SignInViewProps {
  readonly formToken: string;
  readonly returnTo: string | undefined;
  readonly isAgain: boolean;
  readonly loginName: string;
  readonly providers: readonly OidcProvider[];
  readonly passkeys: "offered" | "ip_address";
  readonly scriptPath: string;
  readonly error?: string | undefined;
  readonly done?: string | undefined;
}

/** The page on which people sign in: by password without any script, by passkey with one, or at another issuer. */
export function SignInView(props: SignInViewProps) {
  const { formToken, returnTo, error, done } = props;
  return (
    <>
      {error !== undefined && (
        <Notice tone="error">
          <p>{error}</p>
        </Notice>
      )}
      {done !== undefined && (
        <Notice tone="success">
          <p>{done}</p>
        </Notice>
      )}
      <p class="lead">{props.isAgain ? signInTexts.againLead : signInTexts.lead}</p>
      <form method="post" action="/sign-in">
        <FormToken token={formToken} />
        <ReturnField returnTo={returnTo} />
        {props.isAgain && <input type="hidden" name="again" value="1" />}
        <Field
          name="login_name"
          label={signInTexts.loginName}
          value={props.loginName}
          required
          autocomplete="username webauthn"
          autofocus
          maxLength={100}
        />
        <Field name="password" label={signInTexts.password} type="password" required autocomplete="current-password" maxLength={200} />
        <ButtonRow>
          <Button>{signInTexts.submit}</Button>
        </ButtonRow>
      </form>
      <OtherWays {...props} />
      <p class="hint">{signInTexts.forgotten}</p>
    </>
  );
}

function OtherWays({ formToken, returnTo, isAgain, providers, passkeys, scriptPath }: SignInViewProps) {
  return (
    <Card heading={signInTexts.or}>
      {providers.map((provider) => (
        <ProviderForm
          provider={provider}
          label={signInTexts.with(provider.name)}
          fields={{ form_token: formToken, return_to: returnTo ?? "", again: isAgain ? "1" : "" }}
        />
      ))}
      {passkeys === "ip_address" ? (
        <p class="hint">{signInTexts.passkeyIpAddress}</p>
      ) : (
        <>
          <div data-with-passkeys="" hidden>
            <button
              type="button"
              class="button secondary"
              data-passkey="sign_in"
              data-token={formToken}
              data-return-to={returnTo ?? ""}
              data-status="passkey-status"
              data-failed={signInTexts.passkeyFailed}
            >
              {signInTexts.withPasskey}
            </button>
            <p class="field-error" id="passkey-status" role="alert"></p>
          </div>
          <p class="hint" data-without-passkeys="">
            {signInTexts.passkeyNeedsScript}
          </p>
        </>
      )}
      <script src={scriptPath} defer></script>
    </Card>
  );
}

/** A button that goes to an issuer; a form, so that nobody is sent there by a link on another site. */
export function ProviderForm({
  provider,
  label,
  fields,
}: {
  provider: OidcProvider;
  label: string;
  fields: Readonly<Record<string, string>>;
}) {
  return (
    <form method="post" action={`/sign-in/oidc/${provider.id}`}>
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <ButtonRow>
        <Button kind="secondary">{label}</Button>
      </ButtonRow>
    </form>
  );
}

function ReturnField({ returnTo }: { readonly returnTo: string | undefined }) {
  return returnTo === undefined ? <></> : <input type="hidden" name="return_to" value={returnTo} />;
}
