import type { PropsWithChildren } from "hono/jsx";

/** A box about one subject, with an optional heading. */
export function Card({ heading, id, children }: PropsWithChildren<{ readonly heading?: string; readonly id?: string }>) {
  return (
    <section class="card" id={id} aria-label={heading}>
      {heading !== undefined && <h2>{heading}</h2>}
      {children}
    </section>
  );
}
