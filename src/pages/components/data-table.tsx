import type { Child } from "hono/jsx";

/** A column by its heading. */
export interface DataColumn {
  readonly title: string;
  readonly numeric?: boolean;
}

export interface DataTableProps {
  readonly caption: string;
  /** Leaves the caption to screen readers, where a heading above says the same. */
  readonly hidesCaption?: boolean;
  readonly columns: readonly DataColumn[];
  /** One list of cells for each row, in the order of the columns. */
  readonly rows: readonly (readonly Child[])[];
  /** Ids of the rows in their order, for what is updated while it is shown. */
  readonly rowIds?: readonly string[];
  /** The part that holds the rows, where rows are added while it is shown: its id, and how many it keeps. */
  readonly liveBody?: { readonly id: string; readonly most: number };
}

/** A table whose rows turn into cards on a narrow screen; its roles are spelled out because that change of display loses them. */
export function DataTable({ caption, hidesCaption = false, columns, rows, rowIds, liveBody }: DataTableProps) {
  return (
    <table class="data" role="table">
      <caption class={hidesCaption ? "visually-hidden" : undefined}>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, numeric }) => (
            <th role="columnheader" scope="col" class={numeric === true ? "numeric" : undefined}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup" id={liveBody?.id} data-most={liveBody?.most}>
        {rows.map((cells, index) => (
          <DataRow columns={columns} cells={cells} id={rowIds?.[index]} />
        ))}
      </tbody>
    </table>
  );
}

export interface DataRowProps {
  readonly columns: readonly DataColumn[];
  readonly cells: readonly Child[];
  readonly id: string | undefined;
}

/** One row of such a table. */
export function DataRow({ columns, cells, id }: DataRowProps) {
  return (
    <tr role="row" id={id}>
      {cells.map((cell, index) => (
        <td role="cell" class={columns[index]?.numeric === true ? "numeric" : undefined} data-label={columns[index]?.title}>
          <div>{cell}</div>
        </td>
      ))}
    </tr>
  );
}
