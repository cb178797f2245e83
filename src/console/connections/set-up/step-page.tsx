import type { ConnectionDraft } from "../../../auth/connection-drafts.ts";
import type { ConnectionField } from "../../../connections/connection-offer.ts";
import { MAX_FIELD_LENGTH } from "../../../connections/connection-offer.ts";
import { Button, ButtonRow, LinkButton } from "../../../pages/components/button.tsx";
import { Card } from "../../../pages/components/card.tsx";
import { Field } from "../../../pages/components/field.tsx";
import { FormToken } from "../../../pages/components/form-token.tsx";
import { SelectField } from "../../../pages/components/select-field.tsx";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";
import { setUpPath } from "../connection-paths.ts";
import { CertificateField, type CertificateToConfirm } from "./certificate.tsx";
import { Faults } from "./faults.tsx";
import { KeyWait } from "./key-wait.tsx";
import { PublicFiles } from "./public-files.tsx";

export interface StepPageProps {
  readonly draft: ConnectionDraft;
  /** Which of the offer's steps is shown. */
  readonly index: number;
  /** Why each wrong field is wrong, by its name. */
  readonly faults: Readonly<Record<string, string>>;
  readonly refusal?: string | undefined;
  /** What was typed before the person had to sign in again, by field name. */
  readonly typed: (field: string) => string | undefined;
  /** The certificate to confirm, at the step that has one. */
  readonly certificate: CertificateToConfirm | undefined;
  readonly formToken: string;
  readonly back: string | undefined;
  readonly now: number;
}

/** One step of a set-up: what to do, the fields, and the ways on, back and out. */
export function StepPage(props: StepPageProps) {
  const { draft, index, faults, certificate } = props;
  const { steps, fields } = draft.offer;
  const step = steps[index];
  if (step === undefined) return <></>;
  const shown = step.fields.flatMap((name) => fields.find((field) => field.name === name) ?? []);
  const asked = shown.filter(({ isMade, name }) => !isMade && name !== certificate?.field);
  const made = shown.filter(({ isMade }) => isMade);
  const isLast = index === steps.length - 1;
  const activeFrom = isLast ? draft.offer.activeFrom(draft.values, props.now) : undefined;
  const previous = steps[index - 1];
  return (
    <>
      {steps.length > 1 && <Progress draft={draft} index={index} />}
      <form method="post" action={setUpPath(draft.draftId, step.id)}>
        <FormToken token={props.formToken} />
        {props.back !== undefined && <input type="hidden" name="return_to" value={props.back} />}
        <Faults faults={Object.entries(faults)} refusal={props.refusal} />
        <Card heading={step.title}>
          {step.text.split("\n\n").map((paragraph) => (
            <p>{paragraph}</p>
          ))}
          {step.link !== undefined && (
            <p>
              <a class="button secondary" href={step.link} target="_blank" rel="noreferrer">
                {texts.openLink}
                <span class="visually-hidden"> ({texts.newTab})</span>
                <span aria-hidden="true"> ↗</span>
              </a>
            </p>
          )}
          {step.offersFiles === true && <PublicFiles draft={draft} />}
          {asked.map((field) => (
            <StepField field={field} draft={draft} error={faults[field.name]} typed={props.typed(field.name)} />
          ))}
          {certificate !== undefined && (
            <CertificateField toConfirm={certificate} confirmed={draft.values[certificate.field] ?? ""} error={faults[certificate.field]} />
          )}
          {made.length > 0 && (
            <details class="fold" id="own-keys" open={made.some(({ name }) => faults[name] !== undefined)}>
              <summary>{texts.ownKeys}</summary>
              <div class="stack">
                {made.map((field) => (
                  <StepField field={field} draft={draft} error={faults[field.name]} typed={undefined} />
                ))}
              </div>
            </details>
          )}
          {activeFrom !== undefined && <KeyWait at={activeFrom} now={props.now} />}
        </Card>
        <ButtonRow>
          <Button busyLabel={isLast ? texts.finishing : texts.going}>{isLast ? texts.finish : texts.next}</Button>
          <Button kind="secondary" name="action" value="leave" skipsValidation>
            {texts.leave}
          </Button>
          {previous !== undefined && <LinkButton href={setUpPath(draft.draftId, previous.id)}>{texts.back}</LinkButton>}
        </ButtonRow>
      </form>
    </>
  );
}

function Progress({ draft, index }: { readonly draft: ConnectionDraft; readonly index: number }) {
  const { steps } = draft.offer;
  return (
    <nav class="set-up-steps" aria-label={texts.steps}>
      <p>{texts.stepOf(index + 1, steps.length)}</p>
      <ol>
        {steps.map((step, at) => (
          <li class={at < index ? "done" : at === index ? "now" : "ahead"} aria-current={at === index ? "step" : undefined}>
            <span class="step-sign" aria-hidden="true">
              {at < index ? "✓" : String(at + 1)}
            </span>
            {at < index ? <a href={setUpPath(draft.draftId, step.id)}>{step.title}</a> : <span>{step.title}</span>}
            <span class="visually-hidden"> ({at < index ? texts.stepDone : at === index ? texts.stepNow : texts.stepAhead})</span>
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface StepFieldProps {
  readonly field: ConnectionField;
  readonly draft: ConnectionDraft;
  readonly error: string | undefined;
  readonly typed: string | undefined;
}

/** One field. A secret is never sent back to a page: what is right is kept, what is wrong is entered again. */
function StepField({ field, draft, error, typed }: StepFieldProps) {
  const { name, label, help, isSecret, isMultiline } = field;
  const value = typed ?? draft.values[name] ?? "";
  if (field.choices !== undefined) {
    const options = field.choices.map((choice) => ({ value: choice, label: field.choiceLabels[choice] ?? choice }));
    return <SelectField name={name} label={label} hint={help} error={error} chosen={value} options={options} />;
  }
  const isKept = isSecret && value !== "" && error === undefined;
  const keptHint = field.isMade ? texts.keptMade : texts.kept;
  const secretHint = isKept ? keptHint : error === undefined ? texts.secretHint : texts.again;
  return (
    <Field
      name={name}
      label={label}
      hint={isSecret ? `${help} ${secretHint}`.trim() : help === "" ? undefined : help}
      type={isSecret ? "password" : "text"}
      value={isSecret ? undefined : value}
      error={error}
      required={field.isRequired && !isKept && !field.isMade}
      isKept={isKept}
      maxLength={MAX_FIELD_LENGTH}
      multiline={isMultiline}
    />
  );
}
