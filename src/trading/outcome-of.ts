import { z } from "zod";

import { ORDER_STATUS_NAMES } from "../broker/order.ts";
import { GatewayError } from "../lib/errors.ts";
import { attemptsOf } from "../storage/order-attempts.ts";
import type { OrderRequestRow } from "../storage/order-requests.ts";
import type { OrderDraft } from "./order-draft.ts";
import { type RequestState, readRequestState } from "./order-states.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { brokerRejected, confirmationLimit, notSent, outcomeUnknown, outcomeUnresolved } from "./trading-errors.ts";
import type { PlaceOutcome, TradingCall } from "./trading.ts";

const stored = z.object({
  order_id: z.string().optional(),
  status: z.enum(ORDER_STATUS_NAMES).optional(),
  reason: z.string().optional(),
});

/** What is stored of an outcome, for repeats of its request. */
export type StoredResult = z.output<typeof stored>;

/** Reads a stored outcome; an empty one where there is none. */
export function parseResult(json: string | null): StoredResult {
  return json === null ? {} : stored.parse(JSON.parse(json));
}

/** What kept an order back, by its stored code. */
const REASONS: Readonly<Record<string, string>> = {
  process_ended: "the gateway was restarted before its turn came.",
  timeout: "its turn did not come in time.",
  person: "the owner found that it is not at IBKR.",
};

/** The outcome of a request as its row has it; throws that of one that was not placed, or is not known. */
export async function outcomeOf(
  deps: Pick<PipelineDeps, "storage">,
  { row, draft }: { readonly row: OrderRequestRow; readonly draft: OrderDraft },
  call: TradingCall,
): Promise<PlaceOutcome> {
  const clientOrderId = row.client_order_id;
  const state: RequestState = readRequestState(row.state);
  const result = parseResult(row.result);
  switch (state) {
    case "received":
    case "sending":
      return { kind: "pending", clientOrderId, draft };
    case "placed":
      return await placedBefore({ row, draft, result }, call);
    case "refused":
      throw brokerRejected(result.reason ?? "no reason given", clientOrderId);
    case "declined":
      if (result.reason === "too_many_questions") throw confirmationLimit(clientOrderId);
      return { kind: "declined", clientOrderId, draft };
    case "unknown": {
      const [attempt] = await attemptsOf(deps.storage.db, row.user_id, row.id);
      const said = attempt?.said ?? undefined;
      throw outcomeUnknown({ accountId: row.account_id, clientOrderId }, { said, orderId: attempt?.broker_order_id ?? undefined });
    }
    case "unresolved":
      throw outcomeUnresolved(row);
    case "asked":
    case "not_placed":
      throw notSent(keptBackBy(result.reason), clientOrderId);
  }
}

function keptBackBy(reason: string | undefined): Error {
  const words = REASONS[reason ?? ""];
  return words === undefined ? new Error("it never reached IBKR.") : new GatewayError("timeout", words, { whatToDo: "" });
}

interface Placed {
  readonly row: OrderRequestRow;
  readonly draft: OrderDraft;
  readonly result: StoredResult;
}

/** A placed order with its state now, or, where IBKR no longer tells, its last known one. */
async function placedBefore({ row, draft, result }: Placed, { broker, call }: TradingCall): Promise<PlaceOutcome> {
  const orderId = result.order_id ?? "";
  let status = result.status ?? "Unknown";
  try {
    status = (await broker.order(row.account_id, orderId, call))?.status ?? status;
  } catch (error) {
    // That it is placed is known without IBKR.
    if (!(error instanceof GatewayError)) throw error;
  }
  return { kind: "placed", clientOrderId: row.client_order_id, draft, orderId, status, isRepeat: true, placedAt: row.updated_at };
}
