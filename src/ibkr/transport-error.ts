/** No answer came. `sent` tells whether IBKR may have seen the request: `never` is a proof. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly sent: "never" | "maybe";
  readonly reason: "connection" | "session" | "refused" | "timeout" | "aborted" | "oversized";

  constructor(message: string, facts: { sent: "never" | "maybe"; reason: TransportError["reason"]; cause?: unknown }) {
    super(message, { cause: facts.cause });
    this.sent = facts.sent;
    this.reason = facts.reason;
  }
}
