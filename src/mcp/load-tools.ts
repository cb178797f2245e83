import { tool as getAccounts } from "../tools/get-accounts.ts";
import type { Tool } from "./define-tool.ts";

/** Every tool, in the order in which hosts list them. */
export function loadTools(): readonly Tool[] {
  return [getAccounts];
}
