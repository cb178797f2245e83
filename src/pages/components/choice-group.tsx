import type { Child } from "hono/jsx";

import { FieldError } from "./field.tsx";

/** One thing to choose. */
export interface Choice {
  readonly value: string;
  readonly label: Child;
  /** What choosing it means; stands under the label. */
  readonly detail?: Child;
  readonly disabled?: boolean;
}

export interface ChoiceGroupProps {
  readonly name: string;
  /** Start of its parts' ids, where a name stands on a page twice; default: the name. */
  readonly id?: string;
  readonly legend: string;
  readonly choices: readonly Choice[];
  /** What is chosen: values of `choices`. */
  readonly chosen: readonly string[];
  /** `one` by radio buttons, `many` by checkboxes. */
  readonly pick: "one" | "many";
  readonly hint?: Child;
  readonly error?: string | undefined;
  /** Beside each other where there is room. */
  readonly inline?: boolean;
}

/** A group of radio buttons or checkboxes under one legend. */
export function ChoiceGroup(props: ChoiceGroupProps) {
  const { hint, error, id: name = props.name } = props;
  const described = [hint !== undefined ? `${name}-hint` : "", error !== undefined ? `${name}-error` : ""].filter((id) => id !== "");
  return (
    <fieldset class="choices" aria-describedby={described.length === 0 ? undefined : described.join(" ")}>
      <legend>{props.legend}</legend>
      {hint !== undefined && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      <div class={props.inline === true ? "choice-list inline" : "choice-list"}>
        {props.choices.map((choice, index) => (
          <ChoiceRow group={props} choice={choice} id={`${name}-${index}`} />
        ))}
      </div>
      <FieldError name={name} error={error} />
    </fieldset>
  );
}

function ChoiceRow({ group, choice, id }: { readonly group: ChoiceGroupProps; readonly choice: Choice; readonly id: string }) {
  return (
    <div class="choice">
      <input
        type={group.pick === "one" ? "radio" : "checkbox"}
        id={id}
        name={group.name}
        value={choice.value}
        checked={group.chosen.includes(choice.value)}
        disabled={choice.disabled ?? false}
        required={group.pick === "one"}
        aria-describedby={choice.detail === undefined ? undefined : `${id}-detail`}
      />
      <div>
        <label for={id}>{choice.label}</label>
        {choice.detail !== undefined && (
          <div class="choice-detail" id={`${id}-detail`}>
            {choice.detail}
          </div>
        )}
      </div>
    </div>
  );
}
