import { hideSecrets } from "../lib/hide-secrets.ts";
import { maskAccounts } from "../lib/mask-accounts.ts";

const MAX_SUMMARY = 200;
/** How much is searched for secrets and accounts. */
const MAX_SEARCHED = 600;

/** One line of what came of a call, for the list of calls: the first line of a text, without account numbers and secrets. */
export function outcomeSummary(text: string): string {
  const [line = ""] = text.split("\n", 1);
  const shown = maskAccounts(hideSecrets(line, MAX_SEARCHED)).trim();
  return shown.length <= MAX_SUMMARY ? shown : `${shown.slice(0, MAX_SUMMARY - 1)}…`;
}
