import type { Kysely } from "kysely";

import type { Database } from "./database.ts";

/** An opened and migrated database. Queries are functions by subject in this folder that take it first. */
export interface Storage {
  readonly db: Kysely<Database>;
  readonly dialect: "sqlite" | "postgres";
  close(): Promise<void>;
}
