import type { OrderPreview } from "../broker/order.ts";
import { randomId } from "../lib/random.ts";
import { checkOrderRules, checkOrderShape, orderNotices } from "./order-checks.ts";
import type { OrderDraft } from "./order-draft.ts";
import { turnOf } from "./account-turns.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { previewTimedOut } from "./trading-errors.ts";
import type { TradingCall } from "./trading.ts";

/**
 * Asks for IBKR's what-if in the account's turn, so that no open question of an order is disturbed.
 * Throws `invalid_arguments` before anything is asked, and `timeout` when the caller's time is up.
 */
export async function previewOrder(deps: PipelineDeps, draft: OrderDraft, { broker, call, caller }: TradingCall): Promise<OrderPreview> {
  checkOrderShape(draft);
  const rules = await broker.tradingRules(draft.conid, call);
  checkOrderRules(draft, rules);
  const { symbol: _symbol, currency: _currency, ...order } = draft;
  const ticket = { ...order, customerOrderId: randomId(deps.random, "wi", 10) };
  try {
    const preview = await deps.turns.run({
      account: turnOf({ connectionId: caller.connectionId, accountId: draft.accountId }),
      signal: call.signal,
      action: () => broker.previewOrder(ticket, call),
      whenLate: async () => {
        throw previewTimedOut();
      },
    });
    return { ...preview, warnings: [...preview.warnings, ...orderNotices(draft, rules)] };
  } catch (error) {
    throw call.signal.aborted ? previewTimedOut(error) : error;
  }
}
