import type { PropsWithChildren } from "hono/jsx";

/** What stands where a list has nothing yet: why, and what to do. */
export function EmptyState({ title, children }: PropsWithChildren<{ readonly title: string }>) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}
