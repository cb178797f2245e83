import { optionalInteger } from "./fields.ts";

/** Furthest that a list can be paged into. */
const MAX_OFFSET = 10_000;

/** How many rows an answer has, unless its caller says otherwise, and at most. */
export interface PageSize {
  readonly usual: number;
  readonly max: number;
}

/** The arguments by which a long list is read in parts. */
export function pageFields({ usual, max }: PageSize) {
  return {
    limit: optionalInteger({ min: 1, max }, `Default ${usual}, at most ${max}`),
    offset: optionalInteger({ min: 0, max: MAX_OFFSET }),
  };
}

interface PageArguments {
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** One part of a list. */
export interface Page<T> {
  readonly rows: readonly T[];
  /** Said when there are more rows, or fewer than were skipped. */
  readonly note: string | undefined;
}

/** Cuts the part that is asked for out of a list. */
export function pageOf<T>(all: readonly T[], { limit, offset = 0 }: PageArguments, { usual }: PageSize): Page<T> {
  const rows = all.slice(offset, offset + (limit ?? usual));
  if (rows.length === all.length) return { rows, note: undefined };
  if (rows.length === 0) return { rows, note: `There are ${all.length} rows; offset ${offset} is beyond them.` };
  const end = offset + rows.length;
  const more = end < all.length ? `; offset ${end} shows the next` : "";
  return { rows, note: `Rows ${offset + 1} to ${end} of ${all.length}${more}.` };
}
