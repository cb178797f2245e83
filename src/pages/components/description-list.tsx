import type { Child } from "hono/jsx";

/** Facts with their names; name over value on a narrow screen. */
export function DescriptionList({ rows }: { readonly rows: readonly { readonly name: string; readonly value: Child }[] }) {
  return (
    <dl class="facts">
      {rows.map(({ name, value }) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
