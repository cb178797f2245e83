import type { Scope } from "../../connections/caller.ts";
import { TOOLSETS } from "../../connections/toolsets.ts";
import { plainText } from "../../lib/plain-text.ts";
import { keyTexts } from "../../pages/texts/keys.ts";

const DAY_MS = 86_400_000;

/** How long a key may work, by the name of the choice; null for ever, `date` until a day that is named. */
export const EXPIRIES = {
  never: null,
  day: DAY_MS,
  month: 30 * DAY_MS,
  quarter: 90 * DAY_MS,
  year: 365 * DAY_MS,
  date: undefined,
} as const;

/** Longest label; it stands in tables. */
export const MAX_KEY_LABEL = 100;
/** A later day is a slip of the keyboard. */
const LATEST_MS = 3_653 * DAY_MS;

/** What is entered in the form, right or wrong. */
export interface KeyDraft {
  readonly label: string;
  readonly scope: string;
  readonly accountChoice: string;
  readonly accounts: readonly string[];
  readonly toolsets: readonly string[];
  readonly expiry: string;
  readonly expiresOn: string;
  readonly formId: string;
}

/** What a new key gets. */
export interface KeyChoices {
  readonly label: string;
  readonly scope: Scope;
  readonly allowedAccountIds: readonly string[] | undefined;
  readonly toolsets: readonly string[];
  readonly expiresAt: number | undefined;
}

/** Fields that may be wrong. */
export type KeyErrors = Partial<Record<"label" | "scope" | "accounts" | "toolsets" | "expiry" | "expires_on", string>>;

/** A form with the careful choices made: read only, all accounts, 90 days. */
export function firstDraft(formId: string, label = ""): KeyDraft {
  return { label, scope: "read", accountChoice: "all", accounts: [], toolsets: [], expiry: "quarter", expiresOn: "", formId };
}

/** Reads what was entered. */
export function readKeyDraft(fields: URLSearchParams): KeyDraft {
  const text = (name: string): string => fields.get(name) ?? "";
  return {
    label: text("label"),
    scope: text("scope"),
    accountChoice: text("account_choice"),
    accounts: fields.getAll("account"),
    toolsets: fields.getAll("toolset"),
    expiry: text("expiry"),
    expiresOn: text("expires_on"),
    formId: text("form_id"),
  };
}

/** Checks a draft against the accounts that the connection is known to have: what the key gets, or why each wrong field is wrong. */
export function checkKeyDraft(
  draft: KeyDraft,
  { now, knownAccounts }: { readonly now: number; readonly knownAccounts: readonly string[] | undefined },
): { readonly choices: KeyChoices } | { readonly errors: KeyErrors } {
  const texts = keyTexts.form.errors;
  const label = plainText(draft.label, MAX_KEY_LABEL + 1);
  const expiresAt = expiryOf(draft, now);
  const wantsAll = draft.accountChoice === "all";
  const accountsFit =
    wantsAll || (draft.accounts.length > 0 && draft.accounts.every((account) => knownAccounts?.includes(account) === true));
  const errors: KeyErrors = {
    ...(label === "" || Array.from(label).length > MAX_KEY_LABEL ? { label: texts.label } : {}),
    ...(draft.scope === "read" || draft.scope === "write" ? {} : { scope: texts.scope }),
    ...(accountsFit ? {} : { accounts: texts.accounts }),
    ...(draft.toolsets.every((name) => TOOLSETS.some((toolset) => toolset.name === name)) ? {} : { toolsets: texts.toolsets }),
    ...(expiresAt === "wrong_choice" ? { expiry: texts.expiry } : {}),
    ...(expiresAt === "wrong_date" ? { expires_on: texts.expiresOn } : {}),
  };
  if (Object.keys(errors).length > 0 || typeof expiresAt === "string") return { errors };
  const choices: KeyChoices = {
    label,
    scope: draft.scope === "write" ? "write" : "read",
    allowedAccountIds: wantsAll ? undefined : [...new Set(draft.accounts)],
    toolsets: draft.toolsets,
    expiresAt,
  };
  return { choices };
}

function expiryOf({ expiry, expiresOn }: KeyDraft, now: number): number | undefined | "wrong_choice" | "wrong_date" {
  if (expiry === "date") return endOfDay(expiresOn, now) ?? "wrong_date";
  const length = Object.entries(EXPIRIES).find(([name]) => name === expiry)?.[1];
  if (length === undefined) return "wrong_choice";
  return length === null ? undefined : now + length;
}

/** The end of a day in UTC; undefined for what is no day, over, or too far ahead. */
function endOfDay(day: string, now: number): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const start = Date.parse(`${day}T00:00:00Z`);
  // The 31st of a short month would be read as a day of the next one.
  if (Number.isNaN(start) || new Date(start).toISOString().slice(0, 10) !== day) return undefined;
  const end = start + DAY_MS;
  return end > now && end <= now + LATEST_MS ? end : undefined;
}
