import type { ErrorCode } from "./errors.ts";

/** What each error code means, for the generated reference and the help pages: one line each. */
export const ERROR_MEANINGS: Readonly<Record<ErrorCode, string>> = {
  account_not_allowed: "The key or app may not use this account. Use one of the accounts that it was given.",
  account_required: "The connection has several accounts and none was chosen. Name `account_id`, or pin one with `set_current_account`.",
  ambiguous_contract: "The words fit several contracts. `candidates` holds at most five, with what to send for each.",
  broker_error: "IBKR answered with an error of its own or with something unreadable. Nothing is known to be wrong with the request.",
  broker_rejected: "IBKR refused the order in the words given. Nothing was placed.",
  caller_revoked: "The key or app was revoked, has expired, or no longer covers the account or writing. Nothing was sent.",
  client_order_id_required: "The order can't be told from another without its `client_order_id`.",
  confirmation_expired: "The confirm token is over: used, or older than two minutes. Place the order again to be asked again.",
  confirmation_limit: "IBKR kept asking new questions; after three rounds the gateway stops. Nothing was placed.",
  confirmation_mismatch: "The confirm token is not of this order, account or caller. Nothing was placed.",
  connection_frozen:
    "IBKR proved that the connection reaches another kind of account (paper or live) than it was made for: nothing is sent until its owner sets it up anew.",
  connection_paused: "The connection's owner paused it in the console.",
  connection_not_ready: "The connection can't be used yet or any more: its credentials are missing, wrong or not active.",
  contract_not_found: "No contract fits. Search with `search_security`.",
  idempotency_mismatch: "The same `client_order_id` was used for an order with other arguments.",
  internal_error: "A fault of the gateway. The request id is in the answer and in the log.",
  invalid_arguments: "An argument is missing, unknown or of a wrong form; the message names it and what fits.",
  live_trading_disabled: "The connection reaches real money, and its owner has not enabled trading on it in the console.",
  market_data_unavailable: "IBKR has no data for this, or the user has no subscription for it.",
  not_sent: "The order was not placed; `reason` is the code of what kept it back. The message says whether it may be sent again.",
  not_supported: "The gateway doesn't do this (yet), such as orders for options.",
  order_not_found: "The account has no such order.",
  order_not_working: "The order can't be cancelled any more: it is filled, cancelled or inactive.",
  orders_stopped: "The gateway stopped orders on the connection, since it found an order that must not exist. Its owner can resume them.",
  outcome_unknown:
    "The order may be at IBKR: there was no definite answer. The gateway looks for it. Do not send it again under any id; call `get_order_status`.",
  outcome_unresolved:
    "The order was not seen at IBKR for 5 minutes, which proves nothing. The owner of the connection must look in IBKR's app and decide on the page in `link`.",
  possible_duplicate:
    "An equal order is open or was placed within the last minute. Nothing was sent. The answer names the other order and the two ways on.",
  rate_limited: "Too many calls for IBKR's limits; `retry_after_s` says when.",
  scope_insufficient: "The key or app is read-only and the tool writes.",
  session_competing: "Another login of the same IBKR user name (TWS, the phone) holds the one brokerage session.",
  session_lost: "The session at IBKR ended and could not be opened again within the call.",
  storage_unavailable: "The gateway's database could not store the order. Nothing was sent.",
  timeout: "No answer within the time of a call. Reading can be tried again.",
  unknown_account: "The connection has no such account; `candidates` lists those it has.",
  unknown_tool: "There is no such tool; the message names the nearest.",
  upstream_unavailable: "IBKR can't be reached, or is under maintenance.",
};
