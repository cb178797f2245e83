import type { Duplex } from "node:stream";

const REASONS: Readonly<Record<number, string>> = { 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable" };

/** Answers an upgrade that isn't taken, in plain HTTP, and ends the connection. */
export function refuseUpgrade(transport: Duplex, status: number): void {
  const reason = REASONS[status] ?? "Bad Request";
  const body = `<html><body><h1>${reason}</h1></body></html>`;
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    "connection: close",
    "content-type: text/html; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  transport.on("error", () => transport.destroy());
  transport.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
