import { type ConnectionField, MAX_FIELD_LENGTH } from "../../connections/connection-offer.ts";
import type { ConnectionOffer } from "../../connections/connection-offers.ts";
import { ModeBadge } from "../../pages/components/badge.tsx";
import { Button, ButtonRow, LinkButton } from "../../pages/components/button.tsx";
import { Card } from "../../pages/components/card.tsx";
import { EmptyState } from "../../pages/components/empty-state.tsx";
import { Field } from "../../pages/components/field.tsx";
import { FormToken } from "../../pages/components/form-token.tsx";
import { Notice } from "../../pages/components/notice.tsx";
import { SelectField } from "../../pages/components/select-field.tsx";
import { withReturnPath } from "../../pages/return-path.ts";
import { connectionTexts as texts } from "../../pages/texts/connections.ts";
import { type ConnectionDraft, MAX_LABEL_LENGTH } from "./connection-draft.ts";

/** What the form shows. */
export interface NewConnectionPageProps {
  readonly offers: readonly ConnectionOffer[];
  /** The kind whose fields are shown. */
  readonly offer: ConnectionOffer | undefined;
  readonly draft: ConnectionDraft;
  /** Why each wrong field is wrong, by its name. */
  readonly errors: Readonly<Record<string, string>>;
  /** Why nothing was done although all fields are right. */
  readonly refusal: string | undefined;
  readonly formToken: string;
  readonly back: string | undefined;
  readonly cancelTo: string;
}

/** The form to add a connection, made from what its kind wants to know. */
export function NewConnectionPage(props: NewConnectionPageProps) {
  const { offers, offer, draft, errors } = props;
  if (offers.length === 0) return <EmptyState title={texts.noKinds}></EmptyState>;
  const hasProblems = props.refusal !== undefined || Object.keys(errors).length > 0;
  return (
    <>
      <p class="lead">{texts.addLead}</p>
      {hasProblems && (
        <Notice tone="error" title={texts.errors.summary}>
          {props.refusal !== undefined && <p>{props.refusal}</p>}
          <ul>
            {Object.entries(errors).map(([field, error]) => (
              <li>
                <a href={`#${field}`}>{error}</a>
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <form method="post" class="stack">
        <FormToken token={props.formToken} />
        <input type="hidden" name="form_id" value={draft.formId} />
        {offer !== undefined && <input type="hidden" name="kind" value={offer.id} />}
        {props.back !== undefined && <input type="hidden" name="return_to" value={props.back} />}
        <Card>
          <KindChoice {...props} />
          <Field
            name="label"
            label={texts.label}
            hint={texts.labelHint}
            value={draft.label}
            error={errors["label"]}
            required
            maxLength={MAX_LABEL_LENGTH}
          />
          {offer?.fields.map((field) => (
            <KindField field={field} value={draft.values[field.name]} error={errors[field.name]} />
          ))}
        </Card>
        <ButtonRow>
          <Button busyLabel={texts.creating}>{texts.create}</Button>
          <LinkButton href={props.cancelTo}>{texts.cancel}</LinkButton>
        </ButtonRow>
      </form>
    </>
  );
}

/** The kind that is being added; where there are several, the others by links, since each has fields of its own. */
function KindChoice({ offers, offer, back }: NewConnectionPageProps) {
  return (
    <section class="field" id="kind" aria-label={texts.kind}>
      <h2>{texts.kind}</h2>
      <ul class="kinds">
        {offers.map(({ id, title, modes, summary }) => (
          <li class={id === offer?.id ? "kind current" : "kind"}>
            <p>
              {id === offer?.id ? (
                <strong aria-current="true">{title}</strong>
              ) : (
                <a href={withReturnPath(`/connections/new?kind=${encodeURIComponent(id)}`, back)}>{title}</a>
              )}{" "}
              {modes.map((mode) => (
                <ModeBadge mode={mode} />
              ))}
            </p>
            <p class="hint">{summary}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface KindFieldProps {
  readonly field: ConnectionField;
  readonly value: string | undefined;
  readonly error: string | undefined;
}

/** A secret that was entered is not sent back to the page. */
function KindField({ field, value, error }: KindFieldProps) {
  const { name, label, help, isRequired, isSecret } = field;
  if (field.choices !== undefined) {
    const options = field.choices.map((choice) => ({ value: choice, label: choice }));
    return <SelectField name={name} label={label} hint={help} error={error} chosen={value} options={options} />;
  }
  return (
    <Field
      name={name}
      label={label}
      hint={isSecret ? `${help} ${texts.secretHint}` : help}
      type={isSecret ? "password" : "text"}
      value={isSecret ? undefined : value}
      error={error}
      required={isRequired}
      maxLength={MAX_FIELD_LENGTH}
      multiline={field.isMultiline}
    />
  );
}
