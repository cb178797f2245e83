import { z } from "zod";

import { defineTool } from "../mcp/define-tool.ts";
import { allowedAccounts } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";

/** Most accounts in one answer; an advisor may have hundreds. */
const MAX_ACCOUNTS = 50;

/** `get_accounts`: the sub-accounts of the connection that the caller may use. */
export const tool = defineTool({
  name: "get_accounts",
  title: "List accounts",
  description: "Lists the IBKR accounts of this connection and marks the current one. Example: {}",
  scope: "read",
  annotations: READS,
  input: z.strictObject({}),
  outputSchema: outputSchema({ accounts: "rows", note: "text" }),
  async run(_args, context) {
    const all = await allowedAccounts(context);
    const shown = all.slice(0, MAX_ACCOUNTS);
    const current = all.length === 1 ? all[0]?.accountId : context.caller.pinnedAccountId;
    const accounts = shown.map((account) => ({
      account_id: account.accountId,
      title: account.title,
      type: account.type,
      base_currency: account.baseCurrency,
      is_current: account.accountId === current,
    }));
    return completeAnswer(context, {
      text: `${all.length} ${context.broker.mode} account${all.length === 1 ? "" : "s"}: ${shown.map((account) => account.accountId).join(", ")}.`,
      notes: [
        all.length > shown.length ? `Showing ${shown.length} of ${all.length} accounts.` : undefined,
        current === undefined && all.length > 1 ? "No account is current: orders need account_id or set_current_account." : undefined,
      ],
      body: { accounts },
    });
  },
});
