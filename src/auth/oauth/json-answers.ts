import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers JSON; does nothing when an answer was already begun. */
export function answerJson(res: ServerResponse, status: number, body: unknown): void {
  if (res.headersSent || res.destroyed) return;
  const text = JSON.stringify(body);
  res.statusCode = status;
  res.setHeader("Content-Type", "application/json");
  res.setHeader("Content-Length", Buffer.byteLength(text));
  res.end(text);
}

/** Answers an OAuth error (RFC 6749 section 5.2, RFC 7591 section 3.2.2). */
export function answerError(res: ServerResponse, status: number, error: string, description: string): void {
  answerJson(res, status, { error, error_description: description });
}

/**
 * Lets pages of any origin read the answer, as browser-based hosts must: these URLs take no cookie, so that an origin proves
 * nothing here. Answers a preflight itself, and then says true.
 */
export function allowAnyOrigin(req: IncomingMessage, res: ServerResponse, methods: string): boolean {
  res.setHeader("Access-Control-Allow-Origin", "*");
  res.setHeader("Access-Control-Expose-Headers", "WWW-Authenticate, X-Request-Id, Retry-After");
  if (req.method !== "OPTIONS") return false;
  res.setHeader("Access-Control-Allow-Methods", methods);
  res.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type, MCP-Protocol-Version");
  res.setHeader("Access-Control-Max-Age", "3600");
  res.statusCode = 204;
  res.end();
  return true;
}
