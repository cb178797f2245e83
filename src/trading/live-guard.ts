import { GatewayError } from "../lib/errors.ts";
import { findTradingSwitch, type TradingSwitch } from "../storage/live-trading.ts";
import type { Storage } from "../storage/storage.ts";
import type { TradingCall } from "./trading.ts";

/**
 * Refuses orders on a connection that is paused or frozen, and on one to real money until its owner enabled trading on it. Asked at
 * each decision to send, so that each switch works at once, whichever process turned it, for keys and connected apps alike. Throws
 * `connection_paused`, `connection_frozen` or `live_trading_disabled`.
 */
export async function refuseUntilEnabled(
  { db }: Pick<Storage, "db">,
  { caller, broker }: Pick<TradingCall, "caller" | "broker">,
): Promise<void> {
  const { connectionId, userId } = caller;
  const row = await findTradingSwitch(db, { connectionId, userId });
  if (row === undefined)
    throw new GatewayError("connection_not_ready", "This connection no longer exists.", {
      whatToDo: "Use a key of a connection that exists.",
    });
  refuseStopped(row);
  // Real money is whatever either of them doesn't call invented: what the broker proved, and what the connection was made for.
  const isInvented = [broker.mode, row.mode].every((mode) => mode === "simulated" || mode === "paper");
  if (isInvented || row.live_trading_enabled_at !== null) return;
  throw new GatewayError("live_trading_disabled", `Trading is not enabled on the connection "${row.label}", which reaches real money.`, {
    whatToDo:
      "Nothing was sent. Only the connection's owner can enable trading on it, on its page in the console; previews and cancellations work without.",
    link: `/console/connections/${connectionId}`,
  });
}

/** The link itself hears of it within a minute where another process stopped the connection. */
function refuseStopped({ label, frozen_at: frozenAt, frozen_because: because, paused_at: pausedAt }: TradingSwitch): void {
  if (frozenAt !== null)
    throw new GatewayError("connection_frozen", because ?? `The connection "${label}" is frozen.`, {
      whatToDo: "Nothing was sent. Its owner has to set the connection up anew, with credentials of the right kind.",
    });
  if (pausedAt !== null)
    throw new GatewayError("connection_paused", `The connection "${label}" is paused by its owner.`, {
      whatToDo: "Nothing was sent. Its owner can resume it in the console.",
    });
}
