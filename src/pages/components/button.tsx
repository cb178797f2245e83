import type { PropsWithChildren } from "hono/jsx";

import { commonTexts } from "../texts/common.ts";

export interface ButtonProps {
  readonly kind?: "primary" | "secondary" | "danger";
  /** Sent with the form when this button sends it. */
  readonly name?: string;
  readonly value?: string;
  /** What it says while the form is on its way. */
  readonly busyLabel?: string;
  readonly id?: string;
  /** Sends the form although a field is not filled in, as Deny and Cancel do. */
  readonly skipsValidation?: boolean;
  readonly isDisabled?: boolean;
  /** Id of the element that explains it. */
  readonly describedBy?: string | undefined;
}

/** A button that sends its form. With script, a second press while the form is on its way does nothing. */
export function Button(props: PropsWithChildren<ButtonProps>) {
  return (
    <button
      type="submit"
      class={`button ${props.kind ?? "primary"}`}
      id={props.id}
      name={props.name}
      value={props.value}
      formnovalidate={props.skipsValidation}
      disabled={props.isDisabled}
      aria-describedby={props.describedBy}
      data-busy={props.busyLabel ?? commonTexts.working}
    >
      {props.children}
    </button>
  );
}

/** A link that looks like a button, for going somewhere. */
export function LinkButton({ href, kind = "secondary", children }: PropsWithChildren<{ href: string; kind?: "primary" | "secondary" }>) {
  return (
    <a class={`button ${kind}`} href={href}>
      {children}
    </a>
  );
}

/** Buttons beside each other; below each other on a narrow screen. */
export function ButtonRow({ children }: PropsWithChildren) {
  return <div class="button-row">{children}</div>;
}
