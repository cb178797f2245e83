import type { Child } from "hono/jsx";

import { commonTexts } from "../texts/common.ts";

export interface FieldProps {
  readonly name: string;
  /** Default: the name. For a name that is on a page twice. */
  readonly id?: string;
  readonly label: string;
  readonly type?: "text" | "password" | "email" | "url" | "number" | "date" | "datetime-local";
  readonly value?: string | undefined;
  readonly hint?: Child;
  /** Why what was entered can't be used. */
  readonly error?: string | undefined;
  readonly required?: boolean;
  readonly autocomplete?: string;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly placeholder?: string;
  /** Several lines, as for a PEM block. */
  readonly multiline?: boolean;
  readonly autofocus?: boolean;
  /** There is a value that is not shown; an empty field keeps it. */
  readonly isKept?: boolean;
}

/** One text field with its label, hint and error, all tied together for screen readers. */
export function Field(props: FieldProps) {
  const { name, id = name, label, hint, error, required = false } = props;
  const described = [hint !== undefined ? `${id}-hint` : "", error !== undefined ? `${id}-error` : ""].filter((part) => part !== "");
  const shared = {
    id,
    name,
    required,
    autocomplete: props.autocomplete ?? "off",
    maxlength: props.maxLength,
    minlength: props.minLength,
    placeholder: props.placeholder,
    autofocus: props.autofocus,
    "aria-invalid": error === undefined ? undefined : "true",
    "aria-describedby": described.length === 0 ? undefined : described.join(" "),
  };
  return (
    <div class="field">
      <label for={id}>
        {label}
        {props.isKept === true ? (
          <span class="kept">
            {" "}
            <span aria-hidden="true">✓ </span>
            {commonTexts.kept}
          </span>
        ) : (
          !required && <span class="optional"> ({commonTexts.optional})</span>
        )}
      </label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {props.multiline === true ? (
        <textarea {...shared} rows={6} spellcheck={false}>
          {props.value}
        </textarea>
      ) : (
        <input {...shared} type={props.type ?? "text"} value={props.value} />
      )}
      <FieldError name={id} error={error} />
    </div>
  );
}

/** The error of a field or a group of choices. */
export function FieldError({ name, error }: { readonly name: string; readonly error: string | undefined }) {
  if (error === undefined) return <></>;
  return (
    <p class="field-error" id={`${name}-error`}>
      <span aria-hidden="true">▲ </span>
      {error}
    </p>
  );
}
