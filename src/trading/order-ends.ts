import type { OrderStatusName } from "../broker/order.ts";
import type { AttemptState, RequestState } from "./order-states.ts";
import type { QuestionMessage } from "./questions.ts";

/** Most times that one order's questions are shown. */
export const MAX_ROUNDS = 3;

/**
 * How one exchange with IBKR ended. `asked`: a question that was not confirmed, and IBKR took our no. `withdrawn`: a confirmed
 * one whose yes was not sent, and IBKR took our no. `not_sent`: no byte left. `unknown`: everything that proves nothing.
 */
export type ExchangeEnd =
  | { readonly kind: "accepted"; readonly orderId: string; readonly status: OrderStatusName }
  | { readonly kind: "asked"; readonly messages: readonly QuestionMessage[] }
  | { readonly kind: "withdrawn"; readonly error: Error }
  | { readonly kind: "rejected"; readonly reason: string }
  | { readonly kind: "not_sent"; readonly error: Error }
  | { readonly kind: "unknown"; readonly error: Error; readonly said?: string | undefined; readonly orderId?: string | undefined };

/** How a sending ended, as stored. `asked`: IBKR said `Order not confirmed`. */
export type SendEnd = "placed" | "refused" | "asked" | "never_left" | "unknown";

/** Where an exchange leaves its attempt and its request. */
export interface Ending {
  readonly attempt: AttemptState;
  readonly request: RequestState;
  readonly send: SendEnd;
}

/**
 * Decides where an exchange leaves its attempt and request. With `doubt`, an earlier sending of the same `cOID` has no
 * definite end: a no to this one says nothing about that one.
 */
export function endingOf(kind: ExchangeEnd["kind"], { doubt, round }: { readonly doubt: boolean; readonly round: number }): Ending {
  const send = SENDS[kind];
  if (kind === "accepted") return { attempt: "placed", request: "placed", send };
  if (kind === "unknown" || doubt) return { attempt: "unknown", request: "unknown", send };
  if (kind === "asked") return { attempt: "no", request: round < MAX_ROUNDS ? "asked" : "declined", send };
  return { attempt: "no", request: kind === "rejected" ? "refused" : "not_placed", send };
}

const SENDS: Readonly<Record<ExchangeEnd["kind"], SendEnd>> = {
  accepted: "placed",
  asked: "asked",
  withdrawn: "asked",
  rejected: "refused",
  not_sent: "never_left",
  unknown: "unknown",
};
