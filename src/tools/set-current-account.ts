import { z } from "zod";

import { defineTool } from "../mcp/define-tool.ts";
import { resolveAccount } from "./account-argument.ts";
import { SETS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { requiredText } from "./fields.ts";

/** `set_current_account`: pins the account of calls that name none, for this key only. */
export const tool = defineTool({
  name: "set_current_account",
  title: "Set the current account",
  description: 'Chooses the account used when a call names none, for this key only. Example: {"account_id":"DU1234567"}',
  scope: "write",
  annotations: SETS,
  input: z.strictObject({ account_id: requiredText(undefined, 32) }),
  outputSchema: outputSchema({ account_id: "text" }),
  async run(args, context) {
    const { account } = await resolveAccount(context, args.account_id, "order");
    await context.pinAccount(account.accountId);
    return completeAnswer(context, {
      text: `The current account is now ${account.accountId} (${context.broker.mode}).`,
      accountId: account.accountId,
      body: { title: account.title, type: account.type, base_currency: account.baseCurrency },
    });
  },
});
