import type { JsonObject } from "./json.ts";

/** Every way a request can fail for its caller; `docs/reference/errors.md` says what each means. */
export const ERROR_CODES = [
  "account_not_allowed",
  "account_required",
  "ambiguous_contract",
  "broker_error",
  "broker_rejected",
  "caller_revoked",
  "client_order_id_required",
  "confirmation_expired",
  "confirmation_limit",
  "confirmation_mismatch",
  "connection_frozen",
  "connection_not_ready",
  "connection_paused",
  "contract_not_found",
  "idempotency_mismatch",
  "internal_error",
  "invalid_arguments",
  "live_trading_disabled",
  "market_data_unavailable",
  "not_sent",
  "not_supported",
  "order_not_found",
  "order_not_working",
  "orders_stopped",
  "outcome_unknown",
  "outcome_unresolved",
  "possible_duplicate",
  "rate_limited",
  "scope_insufficient",
  "session_competing",
  "session_lost",
  "storage_unavailable",
  "timeout",
  "unknown_account",
  "unknown_tool",
  "upstream_unavailable",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface GatewayErrorOptions {
  /** One sentence for a model or a person: what to do next. */
  readonly whatToDo: string;
  /** When trying again makes sense, in seconds. */
  readonly retryAfterSeconds?: number;
  /** A page of ours that helps. */
  readonly link?: string;
  /** Facts beside the message, such as candidates; shown to the caller. */
  readonly details?: JsonObject;
  readonly cause?: unknown;
}

/** A failure that its caller is told about: a code of the closed set, what happened, and what to do next. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  readonly whatToDo: string;
  readonly retryAfterSeconds: number | undefined;
  readonly link: string | undefined;
  readonly details: JsonObject | undefined;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.whatToDo = options.whatToDo;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.link = options.link;
    this.details = options.details;
  }
}

/** The text of any thrown value, for logs and messages. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
