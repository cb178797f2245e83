import { z } from "zod";

import { FAULT_KINDS } from "./faults.ts";
import { LIST_FAULTS } from "./list-faults.ts";
import { INIT_FAILURES, REPLY_KINDS, TOKEN_FAILURES } from "./with-faults.ts";

/** The longest that the clock is moved at once: beyond a year of advancing orders takes too long for one request. */
const MAX_ADVANCE_MS = 366 * 86_400_000;
/** The longest that a fault lasts or holds a request up. */
const MAX_FAULT_MS = 31 * 86_400_000;
const MAX_COUNT = 1_000_000;
/** Longer than any reply. */
const MAX_CUT_BYTES = 16_777_216;
const conid = z.int().positive();
const decimalText = z.union([z.string(), z.number()]).transform(String);

/** `POST …/clock`: how far to move on, in milliseconds. */
export const clockBody = z.strictObject({ advance_ms: z.int().min(0).max(MAX_ADVANCE_MS) });

/** `POST …/price`: a price in the quoting unit, or a change in percent of the last one. */
export const priceBody = z.strictObject({
  conid,
  price: decimalText.optional(),
  percent: z.coerce.number().gt(-99).max(10_000).optional(),
});

/** `POST …/halt` and `…/resume`. */
export const instrumentBody = z.strictObject({ conid });

/** Kind → what its `reason` may be. */
const REASONS: Readonly<Record<string, readonly string[]>> = {
  token_failure: Object.keys(TOKEN_FAILURES),
  init_failure: Object.keys(INIT_FAILURES),
  late: ["taken", "lost"],
  list: LIST_FAULTS,
  registers: ["question", "refusal"],
  order_question: ["one_message", "two_messages"],
  goes_live: ["unanswered", "declined"],
};

/** `POST …/faults`. */
export const faultBody = z
  .strictObject({
    kind: z.enum(FAULT_KINDS),
    path: z.string().startsWith("/").max(200).optional(),
    method: z.enum(["GET", "POST", "PUT", "DELETE"]).optional(),
    count: z.int().positive().max(MAX_COUNT).optional(),
    for_ms: z.int().positive().max(MAX_FAULT_MS).optional(),
    ms: z.int().min(-MAX_FAULT_MS).max(MAX_FAULT_MS).optional(),
    reason: z.string().optional(),
    after: z.boolean().optional(),
    status: z.int().min(200).max(599).optional(),
    bytes: z.int().min(0).max(MAX_CUT_BYTES).optional(),
  })
  .refine(({ kind, ms }) => (kind === "latency" ? (ms ?? 0) > 0 : kind !== "clock_skew" || ms !== undefined), {
    error: "latency and clock_skew need ms",
  })
  .refine(({ kind, reason, ms }) => (needsTime(kind, reason) ? ms !== undefined && ms >= 0 : true), {
    error: "late, doubled, coid_memory, goes_live and a list that lags need ms, which is not negative",
  })
  .refine(({ kind, reason }) => (reason === undefined ? kind !== "list" && kind !== "registers" : reasonsOf(kind).includes(reason)), {
    error: `reason is one of ${Object.entries(REASONS)
      .map(([kind, reasons]) => `${reasons.join(", ")} for ${kind}`)
      .join("; ")}`,
  })
  .refine(({ kind, after }) => after === undefined || REPLY_KINDS.has(kind), {
    error: `after goes with ${[...REPLY_KINDS].join(", ")}`,
  })
  .refine(({ kind, status }) => status === undefined || kind === "html" || kind === "half_json", {
    error: "status goes with html and half_json",
  })
  .refine(({ kind, bytes }) => (kind === "cut") === (bytes !== undefined), { error: "bytes goes with cut, which needs it" });

/** `POST …/sockets/push`: what IBKR tells unasked (reference G), its `args` as they are sent. */
export const pushBody = z.strictObject({ topic: z.enum(["act", "sts", "blt", "ntf"]), args: z.unknown() });

/** `POST …/session`: what is to happen to the simulated user's session. */
export const sessionBody = z.discriminatedUnion("event", [
  z.strictObject({ event: z.literal("other_login"), yields: z.boolean().default(true), beside: z.boolean().default(false) }),
  z.strictObject({ event: z.literal("other_logout") }),
  z.strictObject({ event: z.literal("end_brokerage") }),
  z.strictObject({ event: z.literal("daily_reset") }),
  z.strictObject({ event: z.literal("maintenance"), for_ms: z.int().positive().max(MAX_FAULT_MS) }),
]);

function reasonsOf(kind: string): readonly string[] {
  return REASONS[kind] ?? [];
}

function needsTime(kind: string, reason: string | undefined): boolean {
  return (
    kind === "late" || kind === "doubled" || kind === "coid_memory" || kind === "goes_live" || (kind === "list" && reason === "lagging")
  );
}
