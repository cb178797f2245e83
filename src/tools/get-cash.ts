import { z } from "zod";

import { defineTool } from "../mcp/define-tool.ts";
import { resolveAccount } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { cashFields, cashText } from "./cash-rows.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { optionalText } from "./fields.ts";

/** `get_cash`: the cash ledger by currency. */
export const tool = defineTool({
  name: "get_cash",
  title: "Get cash balances",
  description: "Cash ledger by currency, and its total in the base currency. Example: {}",
  scope: "read",
  annotations: READS,
  input: z.strictObject({ account_id: optionalText(undefined, 32) }),
  outputSchema: outputSchema({ account_id: "text", base_currency: "text", cash: "rows", total: "object", note: "text" }),
  async run(args, context) {
    const { account, note } = await resolveAccount(context, args.account_id, "read");
    const ledger = await context.broker.cashLedger(account.accountId, context.call);
    const total = ledger.total?.cash;
    return completeAnswer(context, {
      text: `Cash of ${account.accountId}: ${cashText(ledger)}${total === undefined ? "" : `; in all ${total.toString()} ${ledger.baseCurrency}`}.`,
      asOf: ledger.asOf,
      accountId: account.accountId,
      notes: [note],
      body: cashFields(ledger),
    });
  },
});
