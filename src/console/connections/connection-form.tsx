import type { Child, PropsWithChildren } from "hono/jsx";

import { FormToken } from "../../pages/components/form-token.tsx";
import { commonTexts } from "../../pages/texts/common.ts";

export interface ActionFormProps {
  readonly action: string;
  readonly formToken: string;
  readonly kind?: "primary" | "secondary" | "danger" | "quiet";
  readonly isSmall?: boolean;
  /** Values that go along. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly busyLabel?: string;
  /** Completes the button's words for those who don't see where it stands. */
  readonly about?: Child;
}

/** One button that does one thing. */
export function ActionForm(props: PropsWithChildren<ActionFormProps>) {
  return (
    <form method="post" action={props.action} class="action">
      <FormToken token={props.formToken} />
      {Object.entries(props.fields ?? {}).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button
        type="submit"
        class={`button ${props.kind ?? "secondary"}${props.isSmall === true ? " small" : ""}`}
        data-busy={props.busyLabel ?? commonTexts.working}
      >
        {props.children}
        {props.about !== undefined && <span class="visually-hidden"> {props.about}</span>}
      </button>
    </form>
  );
}
