import { Button, ButtonRow } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { Field } from "../../pages/components/field.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { signInTexts } from "../../pages/texts/sign-in.ts";
import type { OidcProvider } from "./oidc.ts";
import type { LinkKind } from "./one-time-links.ts";
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "./password-rules.ts";
import { ProviderForm } from "./sign-in-view.tsx";

/** What was typed, but for the password. */
export interface TypedPerson {
  readonly displayName: string;
  readonly loginName: string;
}

/** What is wrong with each field. */
export type LinkErrors = Partial<Record<"displayName" | "loginName" | "password" | "form", string>>;

export interface LinkViewProps {
  readonly kind: LinkKind;
  readonly token: string;
  readonly formToken: string;
  readonly signedInAs: string | undefined;
  readonly typed: TypedPerson;
  readonly errors: LinkErrors;
  readonly providers: readonly OidcProvider[];
}

/** The page behind a one-time link: a new account, or a new password. */
export function LinkView({ kind, token, formToken, signedInAs, typed, errors, providers }: LinkViewProps) {
  const texts = signInTexts[kind];
  return (
    <>
      {errors.form !== undefined && (
        <Notice tone="error">
          <p>{errors.form}</p>
        </Notice>
      )}
      <p class="lead">{texts.lead}</p>
      {signedInAs !== undefined && kind !== "reset" && (
        <Notice tone="warning">
          <p>{signInTexts.switchUser(signedInAs)}</p>
        </Notice>
      )}
      <form method="post" action={`/${kind}/${token}`}>
        <FormToken token={formToken} />
        {kind !== "reset" && <PersonFields typed={typed} errors={errors} />}
        <Field
          name="password"
          label={signInTexts.chosenPassword}
          hint={signInTexts.chosenPasswordHint(MIN_PASSWORD_LENGTH)}
          type="password"
          required
          autocomplete="new-password"
          maxLength={MAX_PASSWORD_LENGTH}
          error={errors.password}
        />
        <ButtonRow>
          <Button>{texts.submit}</Button>
        </ButtonRow>
      </form>
      {kind !== "reset" && providers.length > 0 && (
        <Card heading={signInTexts.or}>
          {providers.map((provider) => (
            <ProviderForm
              provider={provider}
              label={signInTexts.createWith(provider.name)}
              fields={{ form_token: formToken, link_kind: kind, link_token: token }}
            />
          ))}
        </Card>
      )}
    </>
  );
}

function PersonFields({ typed, errors }: Pick<LinkViewProps, "typed" | "errors">) {
  return (
    <>
      <Field
        name="display_name"
        label={signInTexts.displayName}
        hint={signInTexts.displayNameHint}
        value={typed.displayName}
        required
        autocomplete="name"
        maxLength={80}
        error={errors.displayName}
      />
      <Field
        name="login_name"
        label={signInTexts.chosenLoginName}
        hint={signInTexts.chosenLoginNameHint}
        value={typed.loginName}
        required
        autocomplete="username"
        maxLength={100}
        error={errors.loginName}
      />
    </>
  );
}
