import { isRecord, parseLossless } from "../../lib/json.ts";
import { parseInteger } from "../numbers.ts";
import { QUOTE_FIELDS, type SnapshotRow } from "./market-data.ts";
import { type AuthStatus, authStatus } from "./session.ts";

/** A row as it came: IBKR's names, numbers with all their digits. */
export type RawRow = Readonly<Record<string, unknown>>;

/** What one frame of the stream says. */
export type StreamFrame =
  /** From here on what we send is heard. */
  | { readonly kind: "greeting"; readonly userName: string | undefined; readonly isPaper: boolean | undefined }
  /** A sign of life. */
  | { readonly kind: "heartbeat" }
  /** State of the brokerage session: all of it or what changed. */
  | { readonly kind: "status"; readonly status: Partial<AuthStatus> }
  /** A contract's fields: all at first, then what changed. */
  | { readonly kind: "quote"; readonly conid: number; readonly row: SnapshotRow }
  /** Orders: whole rows at first, then what changed of each, by `orderId`. */
  | { readonly kind: "orders"; readonly rows: readonly RawRow[] }
  /** Executions. */
  | { readonly kind: "trades"; readonly rows: readonly RawRow[] }
  /** Profit and loss by account and model (`DU1234567.Core`). */
  | { readonly kind: "pnl"; readonly rows: Readonly<Record<string, RawRow>> }
  /** IBKR did not take what we sent. */
  | { readonly kind: "refused"; readonly text: string }
  /** Notices, bulletins and whatever else there may be. */
  | { readonly kind: "other" };

/** The sign of life that IBKR wants of a client at least once a minute. */
export const TIC = "tic";
/** Subscribes the orders of today: IBKR tells them whole, then what changes. */
export const SUBSCRIBE_ORDERS = "sor+{}";
/** Ends that. */
export const UNSUBSCRIBE_ORDERS = "uor+{}";
/** Subscribes today's executions and each new one. */
export const SUBSCRIBE_TRADES = 'str+{"realtimeUpdatesOnly":false,"days":1}';
/** Ends that. */
export const UNSUBSCRIBE_TRADES = "utr";
/** Subscribes profit and loss of all accounts; works without a brokerage session. */
export const SUBSCRIBE_PNL = "spl+{}";
/** Ends that. */
export const UNSUBSCRIBE_PNL = "upl+{}";

const SUBSCRIBED_FIELDS = JSON.stringify({ fields: QUOTE_FIELDS });

/** Subscribes everything that a quote needs. It ends after ten minutes without a word. */
export function subscribeQuote(conid: number): string {
  return `smd+${conid}+${SUBSCRIBED_FIELDS}`;
}

/** Ends a contract's subscription. IBKR does not acknowledge it. */
export function unsubscribeQuote(conid: number): string {
  return `umd+${conid}+{}`;
}

/** Reads a frame; undefined for what isn't a JSON object. */
export function readFrame(text: string): StreamFrame | undefined {
  let frame: unknown;
  try {
    frame = parseLossless(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isRecord(frame)) return undefined;
  const { topic, args } = frame;
  if (typeof topic !== "string") return typeof frame["error"] === "string" ? { kind: "refused", text: frame["error"] } : { kind: "other" };
  return topic.startsWith("smd+") ? quoteOf(frame, topic) : (READERS[topic]?.(frame, args) ?? { kind: "other" });
}

const READERS: Readonly<Record<string, (frame: RawRow, args: unknown) => StreamFrame>> = {
  system: ({ success, isPaper }) => {
    if (typeof success !== "string") return { kind: "heartbeat" };
    return {
      kind: "greeting",
      userName: success === "" ? undefined : success,
      isPaper: typeof isPaper === "boolean" ? isPaper : undefined,
    };
  },
  tic: () => ({ kind: "heartbeat" }),
  sts: (_frame, args) => {
    const status = authStatus.safeParse(args);
    return status.success ? { kind: "status", status: status.data } : { kind: "other" };
  },
  sor: (_frame, args) => ({ kind: "orders", rows: rowsOf(args) }),
  str: (_frame, args) => ({ kind: "trades", rows: rowsOf(args) }),
  spl: (_frame, args) => {
    const rows = isRecord(args) ? Object.entries(args).flatMap(([key, row]) => (isRecord(row) ? [[key, row] as const] : [])) : [];
    return { kind: "pnl", rows: Object.fromEntries(rows) };
  },
};

function quoteOf(frame: RawRow, topic: string): StreamFrame {
  const conid = parseInteger(frame["conid"]) ?? parseInteger(/^smd\+(\d+)/.exec(topic)?.[1]);
  return conid === undefined ? { kind: "other" } : { kind: "quote", conid, row: frame };
}

function rowsOf(args: unknown): readonly RawRow[] {
  if (Array.isArray(args)) return args.filter(isRecord);
  return isRecord(args) ? [args] : [];
}
