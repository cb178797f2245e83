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

/** Refuses a request with a JSON-RPC error that belongs to no id. */
export function refuse(res: ServerResponse, status: number, code: number, message: string): void {
  sendJson(res, status, JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } }));
}

/** Answers 401 with the challenge that clients look for and a text that says what to do. */
export function unauthorized(res: ServerResponse, reason: "missing" | "invalid", resourceMetadataUrl: string | undefined): void {
  const parts = [
    ...(reason === "invalid" ? ['error="invalid_token"', 'error_description="The key is unknown, revoked or expired"'] : []),
    ...(resourceMetadataUrl === undefined ? [] : [`resource_metadata="${resourceMetadataUrl}"`]),
  ];
  res.setHeader("WWW-Authenticate", parts.length === 0 ? "Bearer" : `Bearer ${parts.join(", ")}`);
  const message =
    reason === "missing"
      ? "No API key. Send the header Authorization: Bearer ibkr_… with a key of this gateway."
      : "This API key is unknown, revoked or expired. Make another with: ibkr-gateway key create.";
  refuse(res, 401, RPC.refused, message);
}
