import { BoundedCache } from "../../lib/bounded-cache.ts";
import type { Clock } from "../../lib/clock.ts";
import { isRecord } from "../../lib/json.ts";
import type { Log } from "../../lib/log.ts";
import { RateLimit } from "../../lib/rate-limit.ts";
import { addressGroup } from "./address-group.ts";
import { BUILT_IN_CLIENTS } from "./built-in-clients.ts";
import { normalizedMetadata } from "./client-metadata.ts";
import { DocumentError, type DocumentFetch, type FetchedDocument } from "./document-fetch.ts";

export interface ClientDocumentsDeps {
  readonly fetchDocument: DocumentFetch;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ClientDocumentsOptions {
  /** Lets built-in facts stand in for documents of well-known hosts that can't be fetched. */
  readonly builtInClients: boolean;
  /** Hosts whose documents are fetched; empty for any. */
  readonly allowedHosts: readonly string[];
}

/** Client ID metadata documents and key sets, fetched for the OAuth library. */
export interface ClientDocuments {
  /** Says whether the document of a client id may be fetched now, for a requester at `address`. */
  mayFetch(clientId: string, address: string | undefined): boolean;
  /** True while the document of a client id could not be fetched a moment ago, or there were too many fetches to try. */
  isUnreachable(clientId: string): boolean;
  /** A web-standard answer with the document, its metadata normalised. Rejects when there is none. */
  fetch(url: string): Promise<Response>;
}

/** A failed fetch is not tried again so soon, however often it is asked for. */
const FAILURE_TTL_MS = 60_000;
const MAX_FAILURES = 1_000;
/** Fetches that one address (or IPv6 network) may cause: a person connects a handful of hosts. */
const PER_ADDRESS = { max: 60, windowMs: 600_000, maxKeys: 10_000 };
/** Fetches in all, so that this server is no good for flooding others. */
const IN_ALL = { max: 600, windowMs: 600_000, maxKeys: 1 };
const MAX_CLIENT_ID_LENGTH = 1_000;
/** How long what stands in for a document serves before the document is tried again. */
const STAND_IN_CACHE = { "cache-control": "max-age=300" };
/** For so long a document that was read stands in for itself when it can't be fetched, so that a vendor's bad hour cuts nobody off. */
const LAST_GOOD_TTL_MS = 7 * 86_400_000;
/** With the largest text that is kept, 2 MB in all. */
const MAX_LAST_GOOD = 250;
const MAX_LAST_GOOD_LENGTH = 8_192;

/** Makes the source of client documents. */
export function createClientDocuments(deps: ClientDocumentsDeps, options: ClientDocumentsOptions): ClientDocuments {
  const { clock, log } = deps;
  const failures = new BoundedCache<string, string>({ clock, maxEntries: MAX_FAILURES, ttlMs: FAILURE_TTL_MS });
  const lastGood = new BoundedCache<string, FetchedDocument>({ clock, maxEntries: MAX_LAST_GOOD, ttlMs: LAST_GOOD_TTL_MS });
  // Not among the failures: who has used their own limit up must not keep others from a document.
  const limited = new BoundedCache<string, true>({ clock, maxEntries: MAX_FAILURES, ttlMs: FAILURE_TTL_MS });
  const perAddress = new RateLimit({ clock, ...PER_ADDRESS });
  const inAll = new RateLimit({ clock, ...IN_ALL });
  const builtIn = new Map(options.builtInClients ? BUILT_IN_CLIENTS.map((client) => [client.client_id, client]) : []);

  const hasStandIn = (url: string): boolean => builtIn.has(url) || lastGood.get(url) !== undefined;
  const isUnreachable = (url: string): boolean => failures.get(url) !== undefined || limited.get(url) !== undefined;

  async function attempt(url: string): Promise<FetchedDocument | undefined> {
    if (isUnreachable(url)) return undefined;
    try {
      const document = await deps.fetchDocument(url);
      if (isDocument(document)) {
        if (document.status !== 200) lastGood.delete(url);
        else if (document.text.length <= MAX_LAST_GOOD_LENGTH) lastGood.set(url, { ...document, cacheHeaders: STAND_IN_CACHE });
        return document;
      }
      failures.set(url, `status ${document.status}`);
    } catch (error) {
      const reason = error instanceof DocumentError ? error.message : "failed";
      failures.set(url, reason);
      log.info({ url, reason }, "a client's document could not be fetched");
      if (error instanceof DocumentError && error.reason === "too_large") throw error;
    }
    return undefined;
  }

  return {
    mayFetch: (clientId, address) => {
      const url = URL.parse(clientId);
      if (url === null || url.pathname === "/" || url.search !== "" || clientId.length > MAX_CLIENT_ID_LENGTH) return false;
      if (options.allowedHosts.length > 0 && !options.allowedHosts.includes(url.hostname)) return false;
      if (failures.get(clientId) !== undefined) return hasStandIn(clientId);
      if (perAddress.take(addressGroup(address)) === 0 && inAll.take("all") === 0) {
        limited.delete(clientId);
        return true;
      }
      // Strangers may have used the limit up: hosts that are connected go on with what is known of them.
      limited.set(clientId, true);
      return hasStandIn(clientId);
    },
    isUnreachable,
    fetch: async (url) => {
      const document = (await attempt(url)) ?? lastGood.get(url);
      if (document !== undefined) return fetchedAnswer(document);
      const client = builtIn.get(url);
      if (client === undefined) throw new DocumentError("failed", "the document could not be fetched");
      return answer({ client_id: client.client_id, ...normalizedMetadata({ ...client }, "built_in") }, STAND_IN_CACHE);
    },
  };
}

/**
 * Tells a document from an answer in its place: vendors' guards refuse data centres with 403 or 429 and a page. That there
 * is no document (any more) is an answer, too, and nothing stands in for it.
 */
function isDocument({ status, contentType }: FetchedDocument): boolean {
  if (status === 404 || status === 410) return true;
  return status === 200 && /^application\/(?:[\w.-]+\+)?json\b/i.test(contentType.trim());
}

function fetchedAnswer({ status, text, cacheHeaders }: FetchedDocument): Response {
  if (status !== 200) return new Response(text, { status });
  const parsed: unknown = JSON.parse(text);
  // A key set has no client id; it goes on as it is.
  if (!isRecord(parsed) || typeof parsed["client_id"] !== "string") return new Response(text, { status, headers: cacheHeaders });
  const { client_id, client_secret, client_secret_expires_at } = parsed;
  // What a document must not hold stays visible to the library, which refuses it.
  const secrets = {
    ...(client_secret === undefined ? {} : { client_secret }),
    ...(client_secret_expires_at === undefined ? {} : { client_secret_expires_at }),
  };
  return answer({ client_id, ...secrets, ...normalizedMetadata(parsed, "metadata_document") }, cacheHeaders);
}

function answer(document: Record<string, unknown>, headers: Readonly<Record<string, string>>): Response {
  return new Response(JSON.stringify(document), { status: 200, headers: { "content-type": "application/json", ...headers } });
}
