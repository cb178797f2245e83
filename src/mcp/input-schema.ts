import { z } from "zod";

import { isRecord, type JsonObject } from "../lib/json.ts";

/** Bounds that zod adds to every integer; they say nothing to a model and cost bytes in each list. */
const SAFE_INTEGER_BOUNDS: ReadonlySet<unknown> = new Set([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);

/** The JSON Schema (2020-12) of what a tool takes, without what every schema repeats. */
export function inputSchemaOf(input: z.ZodObject): JsonObject {
  const schema = z.toJSONSchema(input, { target: "draft-2020-12", io: "input" });
  const compacted = compact(schema);
  // z.toJSONSchema answers plain JSON, and compact only leaves parts of it out.
  return { type: "object", ...(compacted as JsonObject) };
}

function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) =>
      key !== "$schema" && key !== "~standard" && !((key === "minimum" || key === "maximum") && SAFE_INTEGER_BOUNDS.has(inner)),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, compact(inner)]));
}
