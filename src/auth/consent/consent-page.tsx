import type { SurveyedConnection } from "../../connections/connection-survey.ts";
import { TOOLSETS } from "../../connections/toolsets.ts";
import { ModeBadge, HealthBadge } from "../../pages/components/badge.tsx";
import { Button, ButtonRow } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { ChoiceGroup } from "../../pages/components/choice-group.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { PlainName } from "../../pages/components/plain-name.tsx";
import { withReturnPath } from "../../pages/return-path.ts";
import { consentTexts as texts } from "../../pages/texts/consent.ts";
import type { AuthorizationRequest } from "../oauth/consent-desk.ts";
import { AccountChoice } from "./account-choice.tsx";
import { AskingApp } from "./asking-app.tsx";
import { type ConsentChoices, type ConsentMistake, DURATIONS } from "./consent-form.ts";

/** What the consent page shows. */
export interface ConsentPageProps {
  readonly request: AuthorizationRequest;
  readonly connections: readonly SurveyedConnection[];
  readonly choices: ConsentChoices;
  readonly mistakes: readonly ConsentMistake[];
  /** Why nothing was done although all was chosen. */
  readonly refusal: string | undefined;
  readonly formToken: string;
}

/** Who asks, and the one form in which a person says what the app may do, or no. */
export function ConsentPage(props: ConsentPageProps) {
  const { request, connections, choices, mistakes } = props;
  const errorOf = (mistake: ConsentMistake): string | undefined => (mistakes.includes(mistake) ? texts.errors[mistake] : undefined);
  return (
    <>
      <p class="lead">{texts.lead}</p>
      {(mistakes.length > 0 || props.refusal !== undefined) && <Problems mistakes={mistakes} refusal={props.refusal} />}
      <AskingApp request={request} />
      <form method="post" class="stack" id="consent">
        <FormToken token={props.formToken} />
        <Card>
          <ChoiceGroup
            name="connection"
            legend={texts.connection}
            pick="one"
            chosen={choices.connectionId === undefined ? [] : [choices.connectionId]}
            error={errorOf("connection")}
            choices={connections.map(connectionChoice)}
          />
          <p>
            <a href={withReturnPath("/console/connections/new", `/consent/${request.interactionId}`)}>{texts.addAnother}</a>
          </p>
          <ScopeChoice request={request} choices={choices} error={errorOf("scope")} />
          <AccountChoice connections={connections} choices={choices} error={errorOf("accounts")} />
          <ChoiceGroup
            name="toolset"
            legend={texts.toolsets}
            pick="many"
            hint={texts.toolsetsHint}
            chosen={choices.toolsets}
            choices={TOOLSETS.map(({ name, title }) => ({ value: name, label: title, detail: texts.toolsetDetails[name] }))}
          />
          <ChoiceGroup
            name="duration"
            legend={texts.duration}
            pick="one"
            inline
            hint={texts.durationHint}
            chosen={choices.duration === undefined ? [] : [choices.duration]}
            error={errorOf("duration")}
            choices={Object.keys(DURATIONS).map((value) => ({ value, label: texts.durations[value as keyof typeof DURATIONS] }))}
          />
        </Card>
        <ButtonRow>
          <Button name="decision" value="approve" busyLabel={texts.approving}>
            {texts.approve}
          </Button>
          <Button kind="secondary" name="decision" value="deny" busyLabel={texts.denying} skipsValidation>
            {texts.deny}
          </Button>
        </ButtonRow>
        <p class="hint">{texts.denyHint}</p>
      </form>
    </>
  );
}

function Problems({ mistakes, refusal }: { readonly mistakes: readonly ConsentMistake[]; readonly refusal: string | undefined }) {
  return (
    <Notice tone="error" title={texts.errors.summary}>
      {refusal !== undefined && <p>{refusal}</p>}
      {mistakes.length > 0 && (
        <ul>
          {mistakes.map((mistake) => (
            <li>
              <a href={`#${mistake}-0`}>{texts.errors[mistake]}</a>
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

function connectionChoice({ connectionId, label, mode, health, accounts, problem }: SurveyedConnection) {
  return {
    value: connectionId,
    label: (
      <>
        <PlainName value={label} /> <ModeBadge mode={mode} /> <HealthBadge health={health} />
      </>
    ),
    detail:
      problem !== undefined ? (
        <>
          {texts.notReady}: {problem.message} {problem.whatToDo}
        </>
      ) : accounts !== undefined ? (
        texts.accountCount(accounts.length)
      ) : undefined,
  };
}

function ScopeChoice({ request, choices, error }: Pick<ConsentPageProps, "request" | "choices"> & { readonly error: string | undefined }) {
  const asked = request.askedScope;
  return (
    <ChoiceGroup
      name="scope"
      legend={texts.scope}
      pick="one"
      hint={asked === undefined ? undefined : texts.asked[asked]}
      chosen={choices.scope === undefined ? [] : [choices.scope]}
      error={error}
      choices={[
        { value: "read", label: texts.read, detail: texts.readDetail },
        { value: "write", label: texts.write, detail: texts.writeDetail },
      ]}
    />
  );
}
