import { IncomingMessage } from "node:http";

/** What goes on to the OAuth library in place of what came. */
export interface ForwardedRequest {
  /** Path and query. */
  readonly url: string;
  /** The issuer's origin: every address that the library makes starts with it, whatever `Host` said. */
  readonly issuer: URL;
  /** The client's address as trusted proxies tell it. */
  readonly address: string | undefined;
  readonly accept?: string;
  readonly body?: { readonly type: string; readonly text: string };
  /** Cookies by these names are left out. */
  readonly withoutCookies?: readonly string[];
}

/** Headers about the way or the body of the request that came, none of which holds for the one that goes on. */
const REPLACED = [
  "host",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-port",
  "content-length",
  "content-type",
  "transfer-encoding",
  "content-encoding",
  "expect",
];

/** Makes the request that goes on to the OAuth library: its own address, headers and body, on the same socket. */
export function forwardedRequest(req: IncomingMessage, to: ForwardedRequest): IncomingMessage {
  const copy = new IncomingMessage(req.socket);
  const headers = { ...req.headers };
  for (const name of REPLACED) delete headers[name];
  headers.host = to.issuer.host;
  headers["x-forwarded-proto"] = to.issuer.protocol.slice(0, -1);
  if (to.address !== undefined) headers["x-forwarded-for"] = to.address;
  if (to.accept !== undefined) headers.accept = to.accept;
  const cookie = withoutCookies(headers.cookie, to.withoutCookies ?? []);
  delete headers.cookie;
  if (cookie !== "") headers.cookie = cookie;
  const body = Buffer.from(to.body?.text ?? "", "utf8");
  if (to.body !== undefined) {
    headers["content-type"] = to.body.type;
    headers["content-length"] = String(body.length);
  }
  copy.method = req.method ?? "GET";
  copy.url = to.url;
  copy.httpVersion = req.httpVersion;
  copy.headers = headers;
  copy.complete = true;
  copy.push(body);
  copy.push(null);
  return copy;
}

function withoutCookies(header: string | undefined, names: readonly string[]): string {
  const kept = (header ?? "").split(";").filter((pair) => !names.includes(pair.split("=", 1)[0]?.trim() ?? ""));
  return kept.join(";").trim();
}
