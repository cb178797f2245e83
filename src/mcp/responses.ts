import type { ServerResponse } from "node:http";

import { RPC } from "./protocol.ts";

/** Sends JSON text; does nothing when the client has gone or an answer was already begun. */
export function sendJson(res: ServerResponse, status: number, json: string | Buffer): void {
  if (res.destroyed || res.headersSent) return;
  res.setHeader("Content-Type", "application/json");
  res.setHeader("Content-Length", Buffer.byteLength(json));
  res.statusCode = status;
  res.end(json);
}

/**
 * Sends a JSON answer made of a text, bytes that are kept, and a text. The bytes go out as they are: putting the three together
 * first would copy the largest answer that we have into new memory for every request.
 */
export function sendJsonAround(res: ServerResponse, [head, bytes, end]: readonly [string, Buffer, string]): void {
  if (res.destroyed || res.headersSent) return;
  const length = Buffer.byteLength(head) + bytes.length + Buffer.byteLength(end);
  res.writeHead(200, { "Content-Type": "application/json", "Content-Length": length });
  res.write(head);
  res.write(bytes);
  res.end(end);
}

/** Refuses a request with a JSON-RPC error that belongs to no id. */
export function refuse(res: ServerResponse, status: number, code: number, message: string): void {
  sendJson(res, status, JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } }));
}

/** Answers 401 with the challenge that clients look for and a text that says what to do. */
export function unauthorized(res: ServerResponse, reason: "missing" | "invalid", resourceMetadataUrl: string | undefined): void {
  const parts = [
    ...(reason === "invalid" ? ['error="invalid_token"', 'error_description="The token or key is unknown, revoked or expired"'] : []),
    // A small scope to begin with (and a hint only): the person who approves picks it.
    ...(resourceMetadataUrl === undefined ? [] : [`resource_metadata="${resourceMetadataUrl}"`, 'scope="read"']),
  ];
  res.setHeader("WWW-Authenticate", parts.length === 0 ? "Bearer" : `Bearer ${parts.join(", ")}`);
  const message =
    reason === "missing"
      ? "No access token and no API key. Connect by OAuth, or send the header Authorization: Bearer ibkr_… with a key of this gateway."
      : "This access token or API key is unknown, revoked or expired. Connect again, or make another key with: ibkr-gateway key create.";
  refuse(res, 401, RPC.refused, message);
}

/** Answers 403 with the challenge by which an OAuth client asks for more (step-up), to the request with this id. */
export function insufficientScope(
  res: ServerResponse,
  request: { readonly id: unknown; readonly tool: string },
  resourceMetadataUrl: string | undefined,
): void {
  const parts = [
    'error="insufficient_scope"',
    'scope="read write"',
    ...(resourceMetadataUrl === undefined ? [] : [`resource_metadata="${resourceMetadataUrl}"`]),
    'error_description="This tool needs the write scope"',
  ];
  res.setHeader("WWW-Authenticate", `Bearer ${parts.join(", ")}`);
  const message = `${request.tool} needs the write scope, and this connection may only read. Connect again and choose read & write.`;
  const id = typeof request.id === "string" || typeof request.id === "number" ? request.id : null;
  sendJson(res, 403, JSON.stringify({ jsonrpc: "2.0", id, error: { code: RPC.refused, message, data: { code: "scope_insufficient" } } }));
}
