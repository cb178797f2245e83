const SCHEME = /^OAuth\s+/i;
const PARAMETER = /\s*([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^",\s]*))\s*(?:,|$)/y;

/** More parameters than any OAuth 1.0a request has; a header with more is refused. */
const MAX_PARAMETERS = 20;

/**
 * Reads an OAuth 1.0a `Authorization` header (RFC 5849, 3.5.1) into its decoded parameters without `realm`, which is
 * never signed. The realm may stand anywhere and values may be unquoted, as existing clients write them.
 * Answers undefined for another scheme, a broken header, or a parameter given twice.
 */
export function parseAuthorizationHeader(header: string | undefined): ReadonlyMap<string, string> | undefined {
  const scheme = SCHEME.exec(header ?? "");
  if (header === undefined || scheme === null) return undefined;
  const parameters = new Map<string, string>();
  const pattern = new RegExp(PARAMETER);
  pattern.lastIndex = scheme[0].length;
  while (pattern.lastIndex < header.length) {
    const found = pattern.exec(header);
    const name = found?.[1];
    if (found === null || name === undefined || parameters.has(name) || parameters.size === MAX_PARAMETERS) return undefined;
    const value = decode(found[2] ?? found[3] ?? "");
    if (value === undefined) return undefined;
    parameters.set(name, value);
  }
  parameters.delete("realm");
  return parameters;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
