import { z } from "zod";

import type { Scope } from "../connections/caller.ts";
import { readToolsets, type Toolset } from "../connections/toolsets.ts";
import type { JsonObject } from "../lib/json.ts";

const accountIds = z.array(z.string().min(1)).min(1);
const names = z.array(z.string());
const limits = z.record(z.string(), z.json());

/** Reads a stored scope; anything that isn't `write` may only read. */
export function parseScope(stored: string): Scope {
  return stored === "write" ? "write" : "read";
}

/** Reads the stored list of accounts; null means all. Throws when the text is damaged: a limit must not fall away. */
export function parseAccountIds(stored: string | null): readonly string[] | undefined {
  return stored === null ? undefined : accountIds.parse(JSON.parse(stored));
}

/** Reads the stored limits; null means none. Throws when the text is damaged. */
export function parseLimits(stored: string | null): JsonObject | undefined {
  return stored === null ? undefined : limits.parse(JSON.parse(stored));
}

/** Reads the stored sets of tools; null means the core alone. A set that no longer exists is passed over. */
export function parseToolsets(stored: string | null): readonly Toolset[] {
  return stored === null ? [] : readToolsets(names.parse(JSON.parse(stored))).toolsets;
}
