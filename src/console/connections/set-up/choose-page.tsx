import type { ConnectionOffer } from "../../../connections/connection-offers.ts";
import { ModeBadge } from "../../../pages/components/badge.tsx";
import { Button, ButtonRow, LinkButton } from "../../../pages/components/button.tsx";
import { Card } from "../../../pages/components/card.tsx";
import { ChoiceGroup } from "../../../pages/components/choice-group.tsx";
import { EmptyState } from "../../../pages/components/empty-state.tsx";
import { Field } from "../../../pages/components/field.tsx";
import { FormToken } from "../../../pages/components/form-token.tsx";
import { commonTexts } from "../../../pages/texts/common.ts";
import { connectionSetUpTexts as texts } from "../../../pages/texts/connection-set-up.ts";
import { MAX_LABEL_LENGTH } from "../connection-label.ts";
import { setUpPath } from "../connection-paths.ts";
import { Faults } from "./faults.tsx";

/** One thing to choose: an offer in one of its modes. */
export interface Choosable {
  /** As the form sends it. */
  readonly value: string;
  readonly offer: ConnectionOffer;
  readonly mode: ConnectionOffer["modes"][number];
}

/** What is entered, right or wrong. */
export interface FirstChoice {
  readonly kind: string;
  readonly label: string;
  /** Random text that makes the form one form, however often it is sent. */
  readonly formId: string;
}

export interface ChoosePageProps {
  readonly choosable: readonly Choosable[];
  readonly choice: FirstChoice;
  readonly errors: Readonly<Record<string, string>>;
  /** Why nothing was done although all fields are right. */
  readonly refusal: string | undefined;
  readonly formToken: string;
  readonly back: string | undefined;
  readonly cancelTo: string;
}

/** The offers in each of their modes. */
export function choosableFrom(offers: readonly ConnectionOffer[]): readonly Choosable[] {
  return offers.flatMap((offer) =>
    offer.modes.map((mode) => ({ value: offer.modes.length === 1 ? offer.id : `${offer.id}:${mode}`, offer, mode })),
  );
}

/** The first page of a set-up: what the connection reaches, and its name. */
export function ChoosePage(props: ChoosePageProps) {
  const { choosable, choice, errors, refusal } = props;
  if (choosable.length === 0) return <EmptyState title={texts.noKinds}></EmptyState>;
  return (
    <form method="post" action={setUpPath()}>
      <FormToken token={props.formToken} />
      <input type="hidden" name="form_id" value={choice.formId} />
      {props.back !== undefined && <input type="hidden" name="return_to" value={props.back} />}
      <Faults faults={Object.entries(errors)} refusal={refusal} />
      <Card>
        <ChoiceGroup
          name="kind"
          legend={texts.kind}
          pick="one"
          chosen={[choice.kind]}
          error={errors["kind"]}
          choices={choosable.map(({ value, offer, mode }) => ({
            value,
            label: (
              <>
                {offer.title} <ModeBadge mode={mode} />
              </>
            ),
            detail: offer.modes.length === 1 ? offer.summary : `${commonTexts.modeMeaning[mode]}. ${offer.summary}`,
          }))}
        />
        <Field
          name="label"
          label={texts.label}
          hint={texts.labelHint}
          value={choice.label}
          error={errors["label"]}
          required
          maxLength={MAX_LABEL_LENGTH}
        />
      </Card>
      <ButtonRow>
        <Button busyLabel={texts.going}>{texts.go}</Button>
        <LinkButton href={props.cancelTo}>{texts.cancel}</LinkButton>
      </ButtonRow>
    </form>
  );
}
