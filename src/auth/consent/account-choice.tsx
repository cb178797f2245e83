import type { SurveyedConnection } from "../../connections/connection-survey.ts";
import { ChoiceGroup } from "../../pages/components/choice-group.tsx";
import { FieldError } from "../../pages/components/field.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { plainText } from "../../lib/plain-text.ts";
import { consentTexts as texts } from "../../pages/texts/consent.ts";
import { accountKey, type ConsentChoices } from "./consent-form.ts";

const MAX_LABEL = 80;

export interface AccountChoiceProps {
  readonly connections: readonly SurveyedConnection[];
  readonly choices: ConsentChoices;
  readonly error: string | undefined;
}

/** All accounts of the connection, or some: the stylesheet shows only those of the chosen connection, and only when some are wanted. */
export function AccountChoice({ connections, choices, error }: AccountChoiceProps) {
  if (connections.every(({ accounts }) => accounts === undefined)) return <p class="hint">{texts.accountsUnknown}</p>;
  return (
    <fieldset class="choices account-choice" aria-describedby={error === undefined ? undefined : "accounts-error"}>
      <legend>{texts.accounts}</legend>
      <div class="choice-list">
        <Extent id="accounts-0" value="all" label={texts.allAccounts} detail={texts.allAccountsDetail} chosen={choices.accounts} />
        <Extent id="accounts-1" value="some" label={texts.someAccounts} chosen={choices.accounts} />
        <div class="account-groups">
          {connections.map((connection, index) => (
            <AccountsOf connection={connection} index={index} choices={choices} />
          ))}
        </div>
      </div>
      <FieldError name="accounts" error={error} />
    </fieldset>
  );
}

interface ExtentProps {
  readonly id: string;
  readonly value: ConsentChoices["accounts"];
  readonly label: string;
  readonly detail?: string;
  readonly chosen: ConsentChoices["accounts"];
}

function Extent({ id, value, label, detail, chosen }: ExtentProps) {
  return (
    <div class="choice">
      <input
        type="radio"
        id={id}
        name="accounts"
        value={value}
        checked={chosen === value}
        aria-describedby={detail === undefined ? undefined : `${id}-detail`}
      />
      <div>
        <label for={id}>{label}</label>
        {detail !== undefined && (
          <div class="choice-detail" id={`${id}-detail`}>
            {detail}
          </div>
        )}
      </div>
    </div>
  );
}

function AccountsOf({
  connection,
  index,
  choices,
}: Pick<AccountChoiceProps, "choices"> & { connection: SurveyedConnection; index: number }) {
  const { connectionId, label, accounts } = connection;
  const legend = texts.accountsOf(plainText(label, MAX_LABEL));
  return (
    <div class="account-group" data-connection={index}>
      {accounts === undefined ? (
        <p class="hint">
          {legend}: {texts.accountsUnknown}
        </p>
      ) : (
        <ChoiceGroup
          name="account"
          id={`account-${index}`}
          legend={legend}
          pick="many"
          inline
          chosen={choices.accountKeys}
          choices={accounts.map(({ accountId, title, baseCurrency }) => ({
            value: accountKey(connectionId, accountId),
            label: <PlainName value={accountId} />,
            detail: (
              <PlainName value={[title, baseCurrency].filter((part) => part !== undefined && part !== accountId).join(" · ")} fallback="" />
            ),
          }))}
        />
      )}
    </div>
  );
}
