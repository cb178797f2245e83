import type { IncomingMessage } from "node:http";

import type { SimReply } from "./route.ts";

/** Largest request body; IBKR's largest (an order ticket set) is some kilobytes. */
const MAX_BODY_BYTES = 1_048_576;

const PREFIXES = ["/v1/api", "/v1/portal"];
/** Where the simulator itself is spoken to, outside IBKR's API: its proof and its control endpoint. */
const SIMULATOR_PREFIX = "/simulator";

const FORWARDING_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/** A request that has passed the rules of IBKR's front door. */
export interface WireRequest {
  readonly method: string;
  /** As it was sent, prefix included. */
  readonly rawPath: string;
  /** Without the prefix. */
  readonly path: string;
  /** As it was sent, without the question mark. */
  readonly query: string;
  readonly authorization: string | undefined;
  readonly host: string | undefined;
  /** True for the simulator's own endpoints and a gateway's pages, outside the API. */
  readonly ownEndpoint: boolean;
  /** True when a proxy has passed the request on. */
  readonly forwarded: boolean;
  readonly remoteAddress: string;
  readonly body: string;
  /** When it arrived, epoch ms; set where faults may hold it up. */
  readonly arrivedAt?: number;
}

/** IBKR's HTML for a path that does not exist. */
export const NOT_FOUND: SimReply = html(404, "Resource not found");

/**
 * Reads a request, or answers the front door's refusal: 403 without a User-Agent, 404 outside the API, 411 for a POST or
 * PUT without Content-Length, 413 for a body over the limit. Outside the API the simulator's own endpoints are heard, and
 * `pages` where given. Rejects when the client hangs up.
 */
export async function readRequest(incoming: IncomingMessage, pages?: ReadonlySet<string>): Promise<WireRequest | SimReply> {
  const { headers, method = "GET", url = "/" } = incoming;
  if ((headers["user-agent"] ?? "").trim() === "") return html(403, "Access Denied");
  const [rawPath = "", query = ""] = splitOnce(withoutOrigin(url), "?");
  const ownEndpoint = rawPath.startsWith(`${SIMULATOR_PREFIX}/`) || pages?.has(rawPath) === true;
  const prefix = ownEndpoint ? "" : PREFIXES.find((known) => rawPath.startsWith(`${known}/`));
  if (prefix === undefined) return NOT_FOUND;
  const length = headers["content-length"];
  const needsLength = method === "POST" || method === "PUT" || headers["transfer-encoding"] !== undefined;
  if (needsLength && length === undefined) return html(411, "Length Required");
  if (Number(length ?? 0) > MAX_BODY_BYTES) return html(413, "Request Entity Too Large");
  return {
    method,
    rawPath,
    path: rawPath.slice(prefix.length),
    query,
    authorization: headers.authorization,
    host: headers.host,
    ownEndpoint,
    forwarded: FORWARDING_HEADERS.some((name) => headers[name] !== undefined),
    remoteAddress: incoming.socket.remoteAddress ?? "",
    body: await readBody(incoming),
  };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("a request's stream gives bytes");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function withoutOrigin(url: string): string {
  return url.replace(/^https?:\/\/[^/?]+/i, "");
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function html(status: number, title: string): SimReply {
  return { status, text: `<html><body><h1>${title}</h1></body></html>`, contentType: "text/html; charset=utf-8" };
}
