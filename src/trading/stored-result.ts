import { z } from "zod";

import { ORDER_STATUS_NAMES } from "../broker/order.ts";

const stored = z.object({
  order_id: z.string().optional(),
  status: z.enum(ORDER_STATUS_NAMES).optional(),
  reason: z.string().optional(),
});

/** What is kept of an answer, for repeats of its request. */
export type StoredResult = z.output<typeof stored>;

/** Reads a stored answer back; nothing stored gives an empty one. */
export function parseResult(json: string | null): StoredResult {
  return json === null ? {} : stored.parse(JSON.parse(json));
}
