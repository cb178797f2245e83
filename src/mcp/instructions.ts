/** What a host tells its model about this server: five lines of workflow. */
export const INSTRUCTIONS = [
  "This server reads and trades an Interactive Brokers account. get_accounts shows the accounts; with several, send account_id or choose one with set_current_account.",
  "Name a contract by symbol (add exchange and currency when it is ambiguous) or by conid; search_security finds it. Quotes state data_status and as_of: say so when data is delayed or stale.",
  "Before an order: get_quote, then preview_order, and the user's agreement. place_order needs a client_order_id of yours; repeat the same one for the same order, it is then placed once only.",
  "When place_order answers confirmation_required, show the questions to the user and send confirm_token only after their yes.",
  "Errors are JSON with what_to_do: follow it; get_connection_status tells which layer of the connection is down. After outcome_unknown never send the order again; get_order_status tells what became of it.",
].join("\n");
