import { FieldError } from "./field.tsx";

export interface SelectFieldProps {
  readonly name: string;
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly label: string; readonly disabled?: boolean }[];
  readonly chosen: string | undefined;
  readonly hint?: string;
  readonly error?: string | undefined;
}

/** A list to pick one of, with its label, hint and error. */
export function SelectField({ name, label, options, chosen, hint, error }: SelectFieldProps) {
  const described = [hint !== undefined ? `${name}-hint` : "", error !== undefined ? `${name}-error` : ""].filter((id) => id !== "");
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      <select
        id={name}
        name={name}
        aria-invalid={error === undefined ? undefined : "true"}
        aria-describedby={described.length === 0 ? undefined : described.join(" ")}
      >
        {options.map((option) => (
          <option value={option.value} selected={option.value === chosen} disabled={option.disabled ?? false}>
            {option.label}
          </option>
        ))}
      </select>
      <FieldError name={name} error={error} />
    </div>
  );
}
