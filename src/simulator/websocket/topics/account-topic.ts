import type { AccountValuation } from "../../trading/valuation.ts";
import { Changes, isEmpty } from "../changes.ts";
import { textsOf } from "../frame.ts";
import type { Frame, TopicMessage } from "../frame.ts";
import type { Feed, Topic, TopicContext } from "../topic.ts";

/** How often an account's figures are sent when they have changed. */
const EVERY_MS = 10_000;

/** What tells the two topics of one account's figures apart. */
export interface AccountTopic {
  readonly name: string;
  readonly ends: string;
  /** The word in the acknowledgement: `unsubscribed from summary`. */
  readonly subject: string;
  /** True where every row is sent each time, changed or not. */
  readonly repeats: boolean;
  /** Every row, by `key`. */
  rows(valuation: AccountValuation): readonly Frame[];
  /** Fields that a row keeps whichever are asked for. */
  readonly always: readonly string[];
}

/** Makes a topic `name+<account>+{"keys":[…],"fields":[…]}` out of its rows. Without keys or fields all of them are sent. */
export function createAccountTopic(options: AccountTopic): Topic {
  const { name, ends, subject } = options;
  return {
    name,
    ends,
    tier: "sso",
    open: (message, context) => openAccount(options, message, context),
    matches: ({ keys }, key) => key === keys[0],
    acknowledge: ({ keys }) => ({ result: `unsubscribed from ${subject}`, topic: `${ends}+${keys[0] ?? ""}` }),
  };
}

function openAccount(options: AccountTopic, { keys, body }: TopicMessage, { session, simulation }: TopicContext): Feed | string {
  const [accountId = ""] = keys;
  if (!session.user.accountIds.includes(accountId)) return `Bad Request: accountId is not valid: ${accountId.slice(0, 30)}`;
  const wantedKeys = lowered(textsOf(body["keys"]));
  const wantedFields = lowered(textsOf(body["fields"]));
  const kept = lowered(options.always);
  const told = new Changes();
  let polledAt: number | undefined;

  function shown(row: Frame): Frame {
    const parts = Object.entries(row).filter(([field]) => {
      const name = field.toLowerCase();
      return kept.has(name) || wantedFields.size === 0 || wantedFields.has(name);
    });
    return Object.fromEntries(parts);
  }

  return {
    key: accountId,
    poll: (now) => {
      if (polledAt !== undefined && now - polledAt < EVERY_MS) return [];
      polledAt = now;
      const rows = options.rows(simulation.trading.valuation(accountId, now));
      const wanted = rows.filter((row) => wantedKeys.size === 0 || wantedKeys.has(String(row["key"]).toLowerCase()));
      const result = wanted.flatMap((row) => {
        const { timestamp: _, ...figures } = shown(row);
        const changed = !isEmpty(told.of(String(row["key"]), figures));
        return changed || options.repeats ? [shown(row)] : [];
      });
      return result.length === 0 ? [] : [{ topic: `${options.name}+${accountId}`, result }];
    },
  };
}

function lowered(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}
