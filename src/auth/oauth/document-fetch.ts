import type { LookupAddress } from "node:dns";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { isIP, type LookupFunction } from "node:net";

import { isPublicAddress } from "../../lib/public-address.ts";
import { beforeAbort, resolveBySystem, type ResolveAddresses } from "../../lib/resolve-addresses.ts";

/** A document as it came from the internet, whatever its status. */
export interface FetchedDocument {
  readonly status: number;
  readonly contentType: string;
  /** `Cache-Control` and `Expires`, for those who keep it. */
  readonly cacheHeaders: Readonly<Record<string, string>>;
  readonly text: string;
}

/**
 * Fetches a document from a public https address. Rejects with a `DocumentError` when the address is forbidden, nobody
 * answers in time, or the document is too large. Redirects are answers, never followed.
 */
export type DocumentFetch = (url: string) => Promise<FetchedDocument>;

/** Why there is no document. `forbidden`: the address is not one that may be asked. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  readonly reason: "forbidden" | "failed" | "too_large";

  constructor(reason: DocumentError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface DocumentFetchOptions {
  readonly resolve?: ResolveAddresses;
  /** Which addresses may be asked; the default is the public internet. */
  readonly isAllowed?: (address: string) => boolean;
  /** Which ports may be asked; the default is 443 alone, so that nobody scans ports through this server. */
  readonly isAllowedPort?: (port: number) => boolean;
  /** A further certificate authority, PEM. */
  readonly ca?: string;
  readonly limitMs?: number;
}

/** From the first look-up to the last byte: a host waits for its answer meanwhile. */
const LIMIT_MS = 2_500;
/** Documents have one or two kilobytes, key sets a little more. */
const LIMIT_BYTES = 65_536;
/** Names that stand for this machine or its network, whatever DNS says. */
const LOCAL_NAME = /^[^.]+\.?$|\.(?:localhost|local|internal|intranet|lan|home|corp|private|home\.arpa|onion)\.?$/i;

/**
 * Makes the fetch. A name's addresses are looked up once and all of them must be allowed; the connection then goes to one
 * of exactly these, so that a second answer of DNS can't lead elsewhere.
 */
export function createDocumentFetch(options: DocumentFetchOptions = {}): DocumentFetch {
  const isAllowed = options.isAllowed ?? isPublicAddress;
  const isAllowedPort = options.isAllowedPort ?? ((port) => port === 443);
  const resolve = options.resolve ?? resolveBySystem;
  return async (text) => {
    const url = allowedUrl(text, isAllowedPort);
    const limit = AbortSignal.timeout(options.limitMs ?? LIMIT_MS);
    try {
      const addresses = await beforeAbort(resolve(url.hostname), limit);
      if (addresses.length === 0) throw new DocumentError("failed", `${url.hostname} has no address`);
      const bad = addresses.find(({ address }) => !isAllowed(address));
      if (bad !== undefined) throw new DocumentError("forbidden", `${url.hostname} is not on the public internet`);
      return await fetchFrom(url, addresses, { isAllowed, limit, ca: options.ca });
    } catch (error) {
      if (error instanceof DocumentError) throw error;
      throw new DocumentError("failed", `${url.hostname} did not answer`, { cause: error });
    }
  };
}

function allowedUrl(text: string, isAllowedPort: (port: number) => boolean): URL {
  const url = URL.parse(text);
  if (url === null || url.protocol !== "https:") throw new DocumentError("forbidden", "only https addresses are fetched");
  if (url.username !== "" || url.password !== "" || url.hash !== "")
    throw new DocumentError("forbidden", "the address holds more than a place");
  // The URL parser has turned decimal, octal and hexadecimal forms of IPv4 into the dotted one.
  if (isIP(url.hostname.replace(/^\[|\]$/g, "")) !== 0) throw new DocumentError("forbidden", "an address without a name is not fetched");
  if (LOCAL_NAME.test(url.hostname)) throw new DocumentError("forbidden", "a local name is not fetched");
  if (!isAllowedPort(url.port === "" ? 443 : Number(url.port))) throw new DocumentError("forbidden", "only port 443 is fetched from");
  return url;
}

interface Visit {
  readonly isAllowed: (address: string) => boolean;
  readonly limit: AbortSignal;
  readonly ca: string | undefined;
}

function fetchFrom(url: URL, addresses: readonly LookupAddress[], visit: Visit): Promise<FetchedDocument> {
  return new Promise((resolve, reject) => {
    const req = request(url, {
      method: "GET",
      headers: { Accept: "application/json", "User-Agent": "ibkr-gateway" },
      lookup: pinned(addresses),
      agent: false,
      signal: visit.limit,
      maxHeaderSize: 16_384,
      ...(visit.ca === undefined ? {} : { ca: visit.ca }),
    });
    req.once("error", reject);
    req.once("socket", (socket) => {
      socket.once("connect", () => {
        const { remoteAddress } = socket;
        if (remoteAddress !== undefined && visit.isAllowed(remoteAddress)) return;
        req.destroy(new DocumentError("forbidden", `${url.hostname} led to another address`));
      });
    });
    req.once("response", (res) => {
      readAll(res).then(
        (text) =>
          resolve({ status: res.statusCode ?? 0, contentType: res.headers["content-type"] ?? "", cacheHeaders: cacheHeaders(res), text }),
        (error: unknown) => {
          req.destroy();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
    req.end();
  });
}

/** A look-up that knows its answer already. */
function pinned(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (first === undefined) callback(new Error("no address"), "");
    else if (options.all === true) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

async function readAll(res: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of res as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > LIMIT_BYTES) throw new DocumentError("too_large", `the document has more than ${LIMIT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function cacheHeaders(res: IncomingMessage): Record<string, string> {
  const { expires, "cache-control": cacheControl } = res.headers;
  return { ...(expires === undefined ? {} : { expires }), ...(cacheControl === undefined ? {} : { "cache-control": cacheControl }) };
}
