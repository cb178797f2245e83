import type { Account } from "../../broker/account.ts";
import { TOOLSETS } from "../../connections/toolsets.ts";
import { ModeBadge } from "../../pages/components/badge.tsx";
import { Button, ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { ChoiceGroup } from "../../pages/components/choice-group.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { Field } from "../../pages/components/field.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { keyTexts } from "../../pages/texts/keys.ts";
import { ConnectionName, type NamedConnection } from "../own-connections.tsx";
import { type EXPIRIES, type KeyDraft, type KeyErrors, MAX_KEY_LABEL } from "./key-draft.ts";

const texts = keyTexts.form;

/** What the form shows. */
export interface NewKeyPageProps {
  readonly connection: NamedConnection;
  /** True where the person has others to choose from. */
  readonly hasOthers: boolean;
  /** Undefined when they can't be listed now. */
  readonly accounts: readonly Account[] | undefined;
  readonly draft: KeyDraft;
  readonly errors: KeyErrors;
  /** Why nothing was done although all fields are right. */
  readonly refusal: string | undefined;
  readonly formToken: string;
}

/** The form that makes a key of one connection. */
export function NewKeyPage(props: NewKeyPageProps) {
  const { connection, draft, errors, refusal, formToken } = props;
  const said = [...Object.values(errors), ...(refusal === undefined ? [] : [refusal])];
  return (
    <>
      {said.length > 0 && (
        <Notice tone="error" title={texts.errors.summary}>
          <ul>
            {said.map((fault) => (
              <li>{fault}</li>
            ))}
          </ul>
        </Notice>
      )}
      <form method="post" action="/console/keys/new">
        <FormToken token={formToken} />
        <input type="hidden" name="form_id" value={draft.formId} />
        <input type="hidden" name="connection" value={connection.id} />
        <Card>
          <p>
            {texts.connection}: <ConnectionName connection={connection} gone="" />{" "}
            {props.hasOthers && <a href="/console/keys/new">{texts.change}</a>}
          </p>
          <Field
            name="label"
            label={texts.label}
            hint={texts.labelHint}
            value={draft.label}
            error={errors.label}
            required
            maxLength={MAX_KEY_LABEL}
          />
        </Card>
        <Card>
          <Limits {...props} />
        </Card>
        <ButtonRow>
          <Button busyLabel={texts.submitting}>{texts.submit}</Button>
          <LinkButton href="/console/keys">{texts.cancel}</LinkButton>
        </ButtonRow>
      </form>
    </>
  );
}

function Limits({ accounts, draft, errors }: NewKeyPageProps) {
  return (
    <>
      <ChoiceGroup
        name="scope"
        legend={texts.scope}
        pick="one"
        chosen={[draft.scope]}
        error={errors.scope}
        choices={[
          { value: "read", label: texts.read, detail: texts.readDetail },
          { value: "write", label: texts.write, detail: texts.writeDetail },
        ]}
      />
      <AccountChoice accounts={accounts} draft={draft} error={errors.accounts} />
      <ChoiceGroup
        name="toolset"
        legend={texts.toolsets}
        pick="many"
        chosen={draft.toolsets}
        hint={texts.toolsetsHint}
        error={errors.toolsets}
        choices={TOOLSETS.map(({ name, title, tools }) => ({ value: name, label: title, detail: tools.join(", ") }))}
      />
      <ChoiceGroup
        name="expiry"
        legend={texts.expiry}
        pick="one"
        inline
        chosen={[draft.expiry]}
        error={errors.expiry}
        choices={(["never", "day", "month", "quarter", "year", "date"] as const satisfies readonly (keyof typeof EXPIRIES)[]).map(
          (value) => ({
            value,
            label: texts.expiries[value],
          }),
        )}
      />
      <Field
        name="expires_on"
        type="date"
        label={texts.expiresOn}
        hint={texts.expiresOnHint}
        value={draft.expiresOn}
        error={errors.expires_on}
      />
    </>
  );
}

interface AccountChoiceProps {
  readonly accounts: readonly Account[] | undefined;
  readonly draft: KeyDraft;
  readonly error: string | undefined;
}

function AccountChoice({ accounts, draft, error }: AccountChoiceProps) {
  const isListed = accounts !== undefined && accounts.length > 0;
  return (
    <div class="account-choice">
      <ChoiceGroup
        name="account_choice"
        legend={texts.accounts}
        pick="one"
        chosen={[draft.accountChoice]}
        hint={isListed ? undefined : texts.accountsUnknown}
        error={error}
        choices={[
          { value: "all", label: texts.allAccounts, detail: texts.allAccountsDetail },
          ...(isListed ? [{ value: "some", label: texts.someAccounts }] : []),
        ]}
      />
      {isListed && (
        <div class="account-groups">
          <ChoiceGroup
            name="account"
            legend={texts.accountList}
            pick="many"
            chosen={draft.accounts}
            choices={accounts.map(({ accountId, title }) => ({
              value: accountId,
              label: (
                <>
                  <PlainName value={accountId} />
                  {title !== undefined && title !== accountId && <PlainName value={title} />}
                </>
              ),
            }))}
          />
        </div>
      )}
    </div>
  );
}

/** Asks for which connection a key is wanted; each answer is a link to its form. */
export function ChooseConnection({ connections }: { readonly connections: readonly NamedConnection[] }) {
  if (connections.length === 0) {
    return (
      <EmptyState title={keyTexts.noConnections.title}>
        <p>{keyTexts.noConnections.text}</p>
        <LinkButton kind="primary" href="/console/connections/new">
          {keyTexts.noConnections.add}
        </LinkButton>
      </EmptyState>
    );
  }
  return (
    <Card heading={texts.choose}>
      <p>{texts.chooseLead}</p>
      <ul class="kinds">
        {connections.map((connection) => (
          <li class="kind">
            <a href={`/console/keys/new?connection=${connection.id}`}>
              <PlainName value={connection.label} />
            </a>{" "}
            <ModeBadge mode={connection.mode} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
