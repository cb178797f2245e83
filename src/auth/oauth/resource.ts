/** The one protected resource: the MCP endpoint of this gateway, named by the issuer. */
export function mcpResource(issuer: string): string {
  return `${issuer}/mcp`;
}

/**
 * Brings the `resource` of a request (RFC 8707) to the one spelling that tokens carry: absent, the bare origin, a trailing slash
 * or a query mean the same endpoint. Anything else is left as it is, for the library to refuse.
 */
export function canonicalResource(given: string, issuer: string): string {
  const resource = mcpResource(issuer);
  const url = URL.parse(given);
  if (given === "" || url === null || url.hash !== "" || url.username !== "" || url.password !== "") return given === "" ? resource : given;
  const isOurs = url.origin === issuer && ["/", "/mcp", "/mcp/"].includes(url.pathname);
  return isOurs ? resource : given;
}

/** Gives form or query parameters one canonical `resource`, when all that they name are the same. */
export function setCanonicalResource(parameters: URLSearchParams, issuer: string): void {
  const named = new Set(parameters.getAll("resource").map((resource) => canonicalResource(resource, issuer)));
  if (named.size === 0) named.add(mcpResource(issuer));
  parameters.delete("resource");
  for (const resource of named) parameters.append("resource", resource);
}
