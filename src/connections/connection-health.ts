import { z } from "zod";

import type { Account } from "../broker/account.ts";
import { HEALTH_LAYERS, type HealthFault, type HealthLayer, type LinkHealth } from "../broker/health.ts";
import { ERROR_CODES, type GatewayError } from "../lib/errors.ts";
import type { ConnectionNotes } from "../storage/connection-life.ts";
import type { ConnectionRow } from "../storage/connections.ts";
import { parseMode } from "./connection-mode.ts";
import type { ConnectionHealth } from "./connections.ts";

const optionalText = z.string().optional();
const storedAccounts = z.array(
  z
    .object({ accountId: z.string(), title: optionalText, type: optionalText, baseCurrency: optionalText })
    .transform(({ accountId, title, type, baseCurrency }): Account => ({ accountId, title, type, baseCurrency })),
);
const storedFault = z.object({
  layer: z.enum(HEALTH_LAYERS),
  code: z.enum(ERROR_CODES),
  message: z.string(),
  whatToDo: z.string(),
  link: optionalText,
  at: z.number(),
});

/** A fault together with the layer that has it. */
export interface LayerFault {
  readonly layer: HealthLayer;
  readonly fault: HealthFault;
}

/** What is known of a connection: its row, and its live link's health where it has one. */
export function connectionHealth(
  row: ConnectionRow,
  live: LinkHealth | undefined,
  shared: Pick<ConnectionHealth, "sharesUserNameWith" | "sharedWithOthers">,
): ConnectionHealth {
  const stored = readFault(row.last_fault);
  const frozenAt = row.frozen_at ?? (live?.state === "frozen" ? live.since : undefined);
  return {
    connectionId: row.id,
    label: row.label,
    kind: row.kind,
    mode: parseMode(row.mode),
    isDemo: row.is_demo === 1,
    createdAt: row.created_at,
    pausedAt: row.paused_at ?? undefined,
    frozenAt,
    frozenBecause: frozenAt === undefined ? undefined : (row.frozen_because ?? stored?.fault.message),
    keepWarm: row.keep_warm === 1,
    liveTradingEnabledAt: row.live_trading_enabled_at ?? undefined,
    ordersStopped: row.orders_stopped_at === null ? undefined : { at: row.orders_stopped_at, because: row.orders_stopped_because ?? "" },
    userName: live?.userName ?? row.ibkr_user_name ?? undefined,
    accounts: live?.accounts ?? readJson(storedAccounts, row.known_accounts),
    verifiedAt: live?.verifiedAt ?? row.verified_at ?? undefined,
    lastFault: live === undefined || live.state === "closed" ? stored?.fault : openingFault(live)?.fault,
    link: live ?? closedLink(row, stored),
    ...shared,
  };
}

/** What the present state of a link is owed to; undefined while it is well. */
export function openingFault(health: LinkHealth): LayerFault | undefined {
  if (health.state === "established" || health.state === "closed" || health.state === "opening") return undefined;
  const faults = health.layers.flatMap(({ layer, state, lastError }) =>
    lastError === undefined || (state !== "down" && state !== "waiting") ? [] : [{ layer, fault: lastError }],
  );
  return faults.toSorted((a, b) => b.fault.at - a.fault.at)[0];
}

/** What is stored of a link's health; `before` is what was stored until now. An opening that is under way changes nothing. */
export function notesOf(health: LinkHealth, before: ConnectionNotes): ConnectionNotes {
  const fault = openingFault(health);
  const keeps = health.state === "closed" || health.state === "opening";
  return {
    ibkr_user_name: health.userName ?? before.ibkr_user_name,
    known_accounts: health.accounts === undefined ? before.known_accounts : JSON.stringify(health.accounts),
    verified_at: health.verifiedAt ?? before.verified_at,
    last_fault: keeps ? before.last_fault : fault === undefined ? null : JSON.stringify({ layer: fault.layer, ...fault.fault }),
  };
}

/** The health of a connection that can't even be tried. */
export function untriedLink(error: GatewayError, layer: HealthLayer, at: number): LinkHealth {
  const lastError: HealthFault = { code: error.code, message: error.message, whatToDo: error.whatToDo, link: error.link, at };
  const state = error.code === "connection_frozen" ? "frozen" : "closed";
  return { ...NOTHING_KNOWN, state, since: at, layers: [{ layer, state: "down", since: at, lastError }] };
}

const NOTHING_KNOWN = { provenMode: undefined, userName: undefined, accounts: undefined, verifiedAt: undefined, retryAt: undefined };

/** A link that isn't live: nothing is known of its layers but what the last opening failed for. */
function closedLink(row: ConnectionRow, stored: LayerFault | undefined): LinkHealth {
  const since = row.frozen_at ?? row.paused_at ?? row.verified_at ?? row.created_at;
  const base: ReadonlySet<HealthLayer> = new Set(["network", "brokerage_session", "market_data"]);
  const layers = HEALTH_LAYERS.filter((layer) => base.has(layer) || layer === stored?.layer);
  return {
    ...NOTHING_KNOWN,
    state: row.frozen_at === null ? "closed" : "frozen",
    since,
    layers: layers.map((layer) => {
      const lastError = layer === stored?.layer ? stored.fault : undefined;
      return { layer, state: lastError === undefined ? "unknown" : "down", since: lastError?.at ?? since, lastError };
    }),
  };
}

function readFault(text: string | null): LayerFault | undefined {
  const stored = readJson(storedFault, text);
  if (stored === undefined) return undefined;
  const { layer, code, message, whatToDo, link, at } = stored;
  return { layer, fault: { code, message, whatToDo, link, at } };
}

/** What a later version wrote otherwise is as good as unknown. */
function readJson<T extends z.ZodType>(schema: T, text: string | null): z.output<T> | undefined {
  if (text === null) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
