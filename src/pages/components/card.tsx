import type { PropsWithChildren } from "hono/jsx";

export interface CardProps {
  readonly heading?: string;
  readonly id?: string;
  /** Names the box for screen readers where its heading stands among its children. */
  readonly label?: string;
}

/** A box about one subject, with an optional heading. */
export function Card({ heading, id, label, children }: PropsWithChildren<CardProps>) {
  return (
    <section class="card" id={id} aria-label={heading ?? label}>
      {heading !== undefined && <h2>{heading}</h2>}
      {children}
    </section>
  );
}
