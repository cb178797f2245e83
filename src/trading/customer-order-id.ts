import type { OrderAttemptRow } from "../storage/order-attempts.ts";
import type { SendEnd } from "./order-ends.ts";

/** IBKR forgets a `cOID` after 24 hours; until well before that it is sure to refuse a second order. */
export const RESEND_WITHIN_MS = 20 * 3_600_000;

/** IBKR's `cOID` of a request: the same for every sending of a generation. At most 64 characters. */
export function customerOrderId(requestId: string, generation: number): string {
  return `gw${requestId.replace(/^ord_/, "").slice(0, 20)}-${generation}`;
}

/** Ends that are IBKR's definite no to a `cOID`: the next sending takes another one. */
const DEFINITE_NO: ReadonlySet<string> = new Set<SendEnd>(["refused", "asked"]);

/**
 * The generation of the next sending: it grows only after IBKR's definite no, so that whatever else became of the last
 * sending, a second order would carry the same `cOID`. `keepsAfterQuestion`: it is proven that asking registers no `cOID`.
 */
export function nextGeneration(
  last: Pick<OrderAttemptRow, "generation" | "state" | "ended_by"> | undefined,
  { keepsAfterQuestion }: { readonly keepsAfterQuestion: boolean },
): number {
  if (last === undefined) return 1;
  const isDefinite = last.state === "no" && last.ended_by !== null && DEFINITE_NO.has(last.ended_by);
  const keeps = keepsAfterQuestion && last.ended_by === "asked";
  return isDefinite && !keeps ? last.generation + 1 : last.generation;
}
