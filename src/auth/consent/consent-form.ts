import type { SurveyedConnection } from "../../connections/connection-survey.ts";
import type { Scope } from "../../connections/caller.ts";
import { readToolsets, type Toolset } from "../../connections/toolsets.ts";
import type { ConsentDecision } from "../oauth/consent-desk.ts";

const DAY_MS = 86_400_000;

/** How long a grant may last, by what the form calls it; undefined is until it is revoked. */
export const DURATIONS = { until_revoked: undefined, one_day: DAY_MS, thirty_days: 30 * DAY_MS, ninety_days: 90 * DAY_MS } as const;

export type Duration = keyof typeof DURATIONS;

/** What is chosen in the consent form, right or wrong. */
export interface ConsentChoices {
  readonly connectionId: string | undefined;
  readonly scope: Scope | undefined;
  readonly accounts: "all" | "some";
  /** Values of the account checkboxes, of all connections. */
  readonly accountKeys: readonly string[];
  readonly toolsets: readonly Toolset[];
  readonly duration: Duration | undefined;
}

/** A part of the form that needs another choice. */
export type ConsentMistake = "connection" | "scope" | "accounts" | "duration";

/** The value of an account's checkbox: the same account id may stand under two connections. */
export function accountKey(connectionId: string, accountId: string): string {
  return `${connectionId}/${accountId}`;
}

/** What a new form has chosen: reading only, whatever was asked, and the connection only when there is no other. */
export function firstChoices(connections: readonly SurveyedConnection[]): ConsentChoices {
  const [only, ...others] = connections;
  return {
    connectionId: others.length === 0 ? only?.connectionId : undefined,
    scope: "read",
    accounts: "all",
    accountKeys: [],
    toolsets: [],
    duration: "until_revoked",
  };
}

/** Reads what was chosen. */
export function readChoices(fields: URLSearchParams): ConsentChoices {
  const scope = fields.get("scope");
  const duration = fields.get("duration") ?? "";
  return {
    connectionId: fields.get("connection") ?? undefined,
    scope: scope === "read" || scope === "write" ? scope : undefined,
    accounts: fields.get("accounts") === "some" ? "some" : "all",
    accountKeys: fields.getAll("account"),
    // What is no set is passed over: a form that names one is not ours.
    toolsets: readToolsets(fields.getAll("toolset")).toolsets,
    // `hasOwn` proves that it is one of the names.
    duration: Object.hasOwn(DURATIONS, duration) ? (duration as Duration) : undefined,
  };
}

/** Turns choices into a decision of this user, or names what is missing. Only the user's own connections and their accounts count. */
export function decide(
  choices: ConsentChoices,
  connections: readonly SurveyedConnection[],
  { userId, now }: { readonly userId: string; readonly now: number },
): { readonly decision: ConsentDecision } | { readonly mistakes: readonly ConsentMistake[] } {
  const { scope, duration } = choices;
  const connection = connections.find(({ connectionId }) => connectionId === choices.connectionId);
  const accountIds = connection === undefined ? [] : chosenAccounts(choices, connection);
  const areAccountsMissing = choices.accounts === "some" && connection !== undefined && accountIds.length === 0;
  if (connection === undefined || scope === undefined || duration === undefined || areAccountsMissing) {
    const mistakes: readonly (readonly [ConsentMistake, boolean])[] = [
      ["connection", connection === undefined],
      ["scope", scope === undefined],
      ["accounts", areAccountsMissing],
      ["duration", duration === undefined],
    ];
    return { mistakes: mistakes.flatMap(([mistake, isMade]) => (isMade ? [mistake] : [])) };
  }
  const lastsMs = DURATIONS[duration];
  return {
    decision: {
      userId,
      connectionId: connection.connectionId,
      scope,
      allowedAccountIds: choices.accounts === "all" ? undefined : accountIds,
      toolsets: choices.toolsets,
      expiresAt: lastsMs === undefined ? undefined : now + lastsMs,
    },
  };
}

function chosenAccounts({ accountKeys }: ConsentChoices, { connectionId, accounts = [] }: SurveyedConnection): string[] {
  return accounts.map(({ accountId }) => accountId).filter((accountId) => accountKeys.includes(accountKey(connectionId, accountId)));
}
