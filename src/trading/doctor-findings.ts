import { z } from "zod";

/** The cases in which the doctor sends a `cOID` again, in their order. `next_day` is 25 hours after the last sending. */
export const DOCTOR_CASES = ["working", "cancelled", "refused", "declined", "unanswered", "next_day"] as const;

/** One of `DOCTOR_CASES`. */
export type DoctorCase = (typeof DOCTOR_CASES)[number];

/** The cases on whose refusals the gateway relies when it sends a `cOID` of unknown outcome again. */
const RELIED_ON = ["working", "cancelled"] as const satisfies readonly DoctorCase[];

/** Cases in which a second order under the `cOID` is none too many: IBKR may list the refused one, and forgets a `cOID` in a day. */
const MAY_BE_TWO: ReadonlySet<DoctorCase> = new Set<DoctorCase>(["refused", "next_day"]);

/** `open`: IBKR asked, and the doctor left the question open. `registered`: IBKR said that it knows the `cOID`. */
const REPLY_KINDS = ["accepted", "open", "declined", "refused", "registered", "unknown"] as const;

const reply = z.object({
  kind: z.enum(REPLY_KINDS),
  /** IBKR's words, or why there are none. */
  said: z.string(),
  /** IBKR's questions, in the order of asking. */
  questions: z.array(z.string()),
  orderId: z.string().optional(),
  /** State of the order in IBKR's first response to it. */
  status: z.string().optional(),
});

const finding = z.object({
  case: z.enum(DOCTOR_CASES),
  customerOrderId: z.string(),
  /** Response to the `cOID` before: undefined where another case sent it. */
  first: reply.optional(),
  /** Response to the same `cOID` again: undefined where it was not sent. */
  again: reply.optional(),
  /** Different orders that IBKR showed under the `cOID`. */
  orders: z.int(),
  /** Why the case was not tried to its end. */
  skipped: z.string().optional(),
});

const report = z.object({
  run: z.string(),
  accountId: z.string(),
  symbol: z.string(),
  /** The gateway's clock, epoch ms. For display only. */
  at: z.number(),
  /** `cOID` of the case `working`, which `--resume` sends again. */
  customerOrderId: z.string(),
  /** IBKR's time at the last sending of that `cOID`, epoch ms; null where IBKR sent none. */
  sentBrokerAt: z.number().nullable(),
  findings: z.array(finding),
  /** What the doctor could not clean up, one sentence each. */
  left: z.array(z.string()),
});

/** IBKR's response to one sending. */
export type DoctorReply = z.infer<typeof reply>;

/** What IBKR did with one `cOID` that it knew. */
export type DoctorFinding = z.infer<typeof finding>;

/** Everything that one run of the doctor saw, as stored. */
export type DoctorReport = z.infer<typeof report>;

/** What the findings prove. */
export interface DoctorVerdict {
  /** IBKR refused a `cOID` in every case on which the gateway relies, and no case showed two orders under one. */
  readonly refusesDuplicates: boolean;
  /** A question that was declined left its `cOID` free. */
  readonly declinedRegistersNothing: boolean;
}

/**
 * Decides what findings prove. Only IBKR's own "already registered" counts as a refusal of the `cOID`: a refusal in other words may
 * be about the order. A case that was not seen proves nothing.
 */
export function verdictOf(findings: readonly DoctorFinding[]): DoctorVerdict {
  const seen = (name: DoctorCase): DoctorFinding | undefined => findings.findLast((candidate) => candidate.case === name);
  const refusesDuplicates =
    findings.every(({ case: name, orders }) => MAY_BE_TWO.has(name) || orders <= 1) &&
    RELIED_ON.every((name) => seen(name)?.again?.kind === "registered");
  const declined = seen("declined");
  const wasFree = declined?.first?.kind === "declined" && declined.again?.kind === "accepted";
  return { refusesDuplicates, declinedRegistersNothing: refusesDuplicates && wasFree };
}

/** Reads a stored report; undefined for null, and for text that isn't one. */
export function parseDoctorReport(text: string | null): DoctorReport | undefined {
  if (text === null) return undefined;
  try {
    return report.parse(JSON.parse(text));
  } catch {
    // A report that can't be read proves nothing.
    return undefined;
  }
}

/** Whether it is proven on a connection that a declined question leaves its `cOID` free: the mark must hold, too. */
export function keepsAfterQuestion(row: {
  readonly duplicate_refusals_proven_at: number | null;
  readonly doctor_report: string | null;
}): boolean {
  const stored = parseDoctorReport(row.doctor_report);
  if (row.duplicate_refusals_proven_at === null || stored === undefined) return false;
  return verdictOf(stored.findings).declinedRegistersNothing;
}
