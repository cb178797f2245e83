import type { Child } from "hono/jsx";

export interface DataTableProps {
  readonly caption: string;
  readonly columns: readonly { readonly title: string; readonly numeric?: boolean }[];
  /** One list of cells for each row, in the order of the columns. */
  readonly rows: readonly (readonly Child[])[];
}

/** A table whose rows turn into cards on a narrow screen; its roles are spelled out because that change of display loses them. */
export function DataTable({ caption, columns, rows }: DataTableProps) {
  return (
    <table class="data" role="table">
      <caption>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, numeric }) => (
            <th role="columnheader" scope="col" class={numeric === true ? "numeric" : undefined}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((cells) => (
          <tr role="row">
            {cells.map((cell, index) => (
              <td role="cell" class={columns[index]?.numeric === true ? "numeric" : undefined} data-label={columns[index]?.title}>
                <div>{cell}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
