import { z } from "zod";

import { defineTool } from "../mcp/define-tool.ts";
import { allowedAccounts } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";

/** Most accounts named as a choice. */
const MAX_CANDIDATES = 10;

/** `get_current_account`: the account that a call without `account_id` is about. */
export const tool = defineTool({
  name: "get_current_account",
  title: "Get the current account",
  description: "Tells which account is used when a call names none. Example: {}",
  scope: "read",
  annotations: READS,
  input: z.strictObject({}),
  outputSchema: outputSchema({ account_id: "text", is_set: "flag", candidates: "texts", note: "text" }),
  async run(_args, context) {
    const accounts = await allowedAccounts(context);
    const pinned = accounts.find((account) => account.accountId === context.caller.pinnedAccountId);
    const current = pinned ?? (accounts.length === 1 ? accounts[0] : undefined);
    if (current !== undefined) {
      return completeAnswer(context, {
        text: `The current account is ${current.accountId} (${context.broker.mode}).`,
        accountId: current.accountId,
        body: { is_set: true, title: current.title, type: current.type, base_currency: current.baseCurrency },
      });
    }
    return completeAnswer(context, {
      text: "No account is current.",
      notes: ["Reads without account_id use the first account; orders need account_id or set_current_account."],
      body: { is_set: false, candidates: accounts.slice(0, MAX_CANDIDATES).map((account) => account.accountId) },
    });
  },
});
