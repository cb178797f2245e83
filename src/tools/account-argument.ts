import type { Account } from "../broker/account.ts";
import { GatewayError } from "../lib/errors.ts";
import type { ToolContext } from "../mcp/define-tool.ts";

/** What an account is resolved for: a read may fall back on the first account and say so, an order never does. */
export type AccountPurpose = "read" | "order";

/** An account, and how it came to be chosen. */
export interface ResolvedAccount {
  readonly account: Account;
  /** Said in the answer when the account was chosen for the caller. */
  readonly note: string | undefined;
}

/** Most accounts named in an error, so that an advisor's hundreds don't fill a model's context. */
const MAX_CANDIDATES = 10;

/** The accounts of the connection that this caller may use, in the broker's order. */
export async function allowedAccounts(context: ToolContext): Promise<readonly Account[]> {
  const accounts = await context.broker.accounts(context.call);
  const { allowedAccountIds } = context.caller;
  return allowedAccountIds === undefined ? accounts : accounts.filter((account) => allowedAccountIds.includes(account.accountId));
}

/**
 * Decides which account a call is about: the argument, else the caller's current account, else the only one there is.
 * With several and none chosen, a read takes the first and says so, and an order is refused with `account_required`.
 * Throws `unknown_account`, `account_not_allowed` or `account_required`, each with the accounts to choose from.
 */
export async function resolveAccount(
  context: ToolContext,
  accountIdArgument: string | undefined,
  purpose: AccountPurpose,
): Promise<ResolvedAccount> {
  const accounts = await allowedAccounts(context);
  const wanted = accountIdArgument ?? context.caller.pinnedAccountId;
  if (wanted !== undefined) return { account: namedAccount(context, accounts, wanted), note: undefined };
  const [first] = accounts;
  if (first === undefined) {
    throw new GatewayError("account_required", "This connection has no account that you may use.", {
      whatToDo: "Ask the connection's owner to allow an account for this key.",
    });
  }
  if (accounts.length === 1) return { account: first, note: undefined };
  if (purpose === "order") throw accountRequired(accounts);
  return { account: first, note: `No account was named, so this is ${first.accountId}, the first of ${accounts.length}.` };
}

function namedAccount(context: ToolContext, accounts: readonly Account[], wanted: string): Account {
  const found = accounts.find((account) => account.accountId.toUpperCase() === wanted.toUpperCase());
  if (found !== undefined) return found;
  const details = { candidates: candidatesOf(accounts) };
  const { allowedAccountIds } = context.caller;
  // Whether a foreign account exists on the connection is not told to a key that is limited to others.
  if (allowedAccountIds !== undefined) {
    throw new GatewayError("account_not_allowed", `This key may not use account ${wanted}.`, {
      whatToDo: "Use one of the candidates as account_id.",
      details,
    });
  }
  throw new GatewayError("unknown_account", `This connection has no account ${wanted}.`, {
    whatToDo: "Use one of the candidates as account_id, or call get_accounts.",
    details,
  });
}

function accountRequired(accounts: readonly Account[]): GatewayError {
  return new GatewayError("account_required", `This connection has ${accounts.length} accounts and none was chosen.`, {
    whatToDo: "Ask the user which account is meant, then send account_id, or choose it once with set_current_account.",
    details: { candidates: candidatesOf(accounts) },
  });
}

function candidatesOf(accounts: readonly Account[]): string[] {
  return accounts.slice(0, MAX_CANDIDATES).map((account) => account.accountId);
}
