import type { Kysely } from "kysely";
import { z } from "zod";

import type { Mode } from "../broker/account.ts";
import type { Caller } from "../connections/caller.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Database } from "../storage/database.ts";
import { findTradingSwitch, holdCallerStanding, holdTradingSwitch, type TradingSwitch } from "../storage/order-permission.ts";
import type { Storage } from "../storage/storage.ts";
import { keepsAfterQuestion } from "./doctor-findings.ts";
import type { TradingCall } from "./trading.ts";

/** A permission to send is good for so long, by the monotonic clock: a process that stood still sends nothing old. */
export const PERMISSION_MS = 2_000;

const accountIds = z.array(z.string());

/**
 * Refuses orders on a connection that is paused, frozen or stopped, and on one to real money until its owner enabled trading
 * on it. Throws `connection_paused`, `connection_frozen`, `orders_stopped`, `live_trading_disabled` or `connection_not_ready`.
 */
export async function refuseUntilEnabled(
  { db }: Pick<Storage, "db">,
  { caller, broker }: Pick<TradingCall, "caller" | "broker">,
): Promise<void> {
  refuseSwitchedOff(await findTradingSwitch(db, caller), { connectionId: caller.connectionId, provenMode: broker.mode });
}

/** What allowed an order to leave, for its record. */
export interface Permission {
  readonly isDuplicateProven: boolean;
  /** A declined question leaves its `cOID` free. */
  readonly keepsAfterQuestion: boolean;
  /** JSON for `order_sends`. */
  readonly record: string;
}

/**
 * Asks everything again that lets an order leave, inside the transaction that allows it: the key or grant is in force and
 * covers account and scope; the connection's switches are on. A revocation commits before, and the order is refused, or
 * after, and it counts as leaving. Throws `caller_revoked` or what `refuseUntilEnabled` throws.
 */
export async function holdPermission(
  db: Kysely<Database>,
  { dialect, now }: { readonly dialect: Storage["dialect"]; readonly now: number },
  { caller, provenMode, accountId }: { readonly caller: Caller; readonly provenMode: Mode; readonly accountId: string },
): Promise<Permission> {
  const row = await holdTradingSwitch(db, dialect, caller);
  refuseSwitchedOff(row, { connectionId: caller.connectionId, provenMode });
  const standing = await holdCallerStanding(db, dialect, caller);
  const end = standing?.expires_at ?? null;
  if (standing === undefined || standing.client_id === null || standing.revoked_at !== null || (end !== null && end <= now))
    throw callerEnded("The key or app was revoked or has expired.");
  if (standing.scope !== "write" || caller.scope !== "write") throw callerEnded("The key or app may no longer place orders.");
  const allowed = standing.allowed_account_ids === null ? undefined : accountIds.parse(JSON.parse(standing.allowed_account_ids));
  if (allowed?.includes(accountId) === false) throw callerEnded(`The key or app may no longer use account ${accountId}.`);
  const { mode, live_trading_enabled_at: enabledAt } = row;
  return {
    isDuplicateProven: row.duplicate_refusals_proven_at !== null,
    keepsAfterQuestion: keepsAfterQuestion(row),
    record: JSON.stringify({ scope: standing.scope, accounts: allowed ?? "all", mode, live_trading_enabled_at: enabledAt }),
  };
}

function callerEnded(message: string): GatewayError {
  return new GatewayError("caller_revoked", message, {
    whatToDo: "Ask the owner of the connection for a new approval or key with read & write permission for this account.",
  });
}

/** Refuses what `refuseUntilEnabled` does, by a row that was read. */
export function refuseSwitchedOff(
  row: TradingSwitch | undefined,
  { connectionId, provenMode }: { readonly connectionId: string; readonly provenMode: Mode },
): asserts row is TradingSwitch {
  if (row === undefined)
    throw new GatewayError("connection_not_ready", "This connection no longer exists.", {
      whatToDo: "Use a key of a connection that exists.",
    });
  refuseStopped(row, connectionId);
  // Both have to call it simulated or paper: what the broker proved, and what the connection was made for.
  const isRealMoney = [provenMode, row.mode].some((mode) => mode !== "simulated" && mode !== "paper");
  if (!isRealMoney || row.live_trading_enabled_at !== null) return;
  throw new GatewayError("live_trading_disabled", `Trading is not enabled on the connection "${row.label}", which reaches real money.`, {
    whatToDo:
      "Nothing was sent. Only the connection's owner can enable trading on it, on its page in the console; previews and cancellations work without.",
    link: `/console/connections/${connectionId}`,
  });
}

/** The open link learns of a stop within a minute where another process made it; the row knows it immediately. */
function refuseStopped(row: TradingSwitch, connectionId: string): void {
  if (row.frozen_at !== null)
    throw new GatewayError("connection_frozen", row.frozen_because ?? `The connection "${row.label}" is frozen.`, {
      whatToDo: "Nothing was sent. The owner must replace its credentials or delete the connection.",
    });
  if (row.paused_at !== null)
    throw new GatewayError("connection_paused", `The connection "${row.label}" is paused by its owner.`, {
      whatToDo: "Nothing was sent. Its owner can resume it in the console.",
    });
  if (row.orders_stopped_at !== null)
    throw new GatewayError("orders_stopped", `The gateway stopped orders on "${row.label}": ${row.orders_stopped_because ?? ""}`.trim(), {
      whatToDo: "Nothing was sent. The owner must check the account's orders at IBKR, then resume orders on the connection's page.",
      link: `/console/connections/${connectionId}`,
    });
}
