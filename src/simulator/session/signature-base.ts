/** What a signature may cover, as it came over the wire. */
export interface SignedRequest {
  readonly method: string;
  /** Origins that the client may have meant: scheme and host, without a slash at the end. */
  readonly origins: readonly string[];
  /** The path as it was sent, `/v1/api` included. */
  readonly path: string;
  /** The query as it was sent, without the question mark; empty when there was none. */
  readonly query: string;
  /** Decoded parameters of the `Authorization` header, without `realm`. */
  readonly parameters: ReadonlyMap<string, string>;
}

type Encoder = (text: string) => string;
type Pair = readonly [name: string, value: string];

/** RFC 3986: everything but letters, digits and `-._~`. */
const rfc3986: Encoder = (text) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
const javaScript: Encoder = (text) => encodeURIComponent(text);
const withPlus =
  (encode: Encoder): Encoder =>
  (text) =>
    encode(text).replaceAll("%20", "+");

/** The ways in which clients escape a part of the base string; they differ only where a query has unusual characters. */
const ENCODERS: readonly Encoder[] = [rfc3986, withPlus(rfc3986), javaScript, withPlus(javaScript)];

const ENCODED_DIFFERENTLY = /[ !'()*]/;

/**
 * Lists the base strings that a client may have signed, the likeliest first and each once. Three conventions for the
 * query are in use: left out, merged into the parameters (RFC 5849, 3.4.1.3), or left standing in the URL.
 */
export function* signatureBases(request: SignedRequest): Generator<string, void> {
  const seen = new Set<string>();
  for (const [suffix, parameters] of conventions(request)) {
    for (const origin of request.origins) {
      const encoders = ENCODED_DIFFERENTLY.test(origin + request.path + suffix + parameters) ? ENCODERS : [rfc3986];
      for (const encode of encoders) {
        const base = [request.method, encode(origin + request.path + suffix), encode(parameters)].join("&");
        if (!seen.has(base)) yield base;
        seen.add(base);
      }
    }
  }
}

function* conventions(request: SignedRequest): Generator<readonly [urlSuffix: string, parameters: string], void> {
  const own = [...request.parameters].filter(([name]) => name !== "oauth_signature");
  yield ["", sortedPairs(own)];
  yield ["", sortedPairs(encoded(own, rfc3986))];
  if (request.query === "") return;
  const decoded = [...new URLSearchParams(request.query)];
  yield ["", sortedPairs([...own, ...decoded])];
  for (const encode of ENCODERS) yield ["", sortedPairs(encoded([...own, ...decoded], encode))];
  yield ["", sortedPairs([...own, ...asSent(request.query)])];
  yield [`?${request.query}`, sortedPairs(own)];
  yield [`?${decoded.map((pair) => pair.join("=")).join("&")}`, sortedPairs(own)];
}

function encoded(pairs: readonly Pair[], encode: Encoder): readonly Pair[] {
  return pairs.map(([name, value]) => [encode(name), encode(value)]);
}

function asSent(query: string): readonly Pair[] {
  return query.split("&").map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  });
}

function sortedPairs(pairs: readonly Pair[]): string {
  return pairs
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join("="))
    .join("&");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
