/** How a browser is sent back to a client. */
export type RedirectKind = "https" | "loopback" | "custom_scheme";

/** Most addresses of one client, and the longest of them. */
const MAX_URIS = 20;
const MAX_URI_LENGTH = 2_000;
const LOOPBACK_HOSTS = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** Schemes that run something, read something, or lead to something other than an app of the client. */
const FORBIDDEN_SCHEMES = new Set(
  "about blob chrome chrome-extension data feed file filesystem ftp ftps intent jar javascript ldap livescript mailto mocha resource sms ssh tel telnet urn vbscript view-source ws wss x-javascript".split(
    " ",
  ),
);

/** Says what is wrong with a client's list of redirect URIs; undefined when nothing is. */
export function redirectUrisFault(uris: unknown): string | undefined {
  if (!Array.isArray(uris) || uris.length === 0) return "redirect_uris must be a list with at least one address";
  if (uris.length > MAX_URIS) return `redirect_uris must have at most ${MAX_URIS} addresses`;
  for (const uri of uris) {
    const fault = typeof uri === "string" ? redirectUriFault(uri) : "redirect_uris must hold texts only";
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** How an accepted redirect URI leads back. */
export function redirectKind(uri: string): RedirectKind {
  const protocol = URL.parse(uri)?.protocol;
  return protocol === "https:" ? "https" : protocol === "http:" ? "loopback" : "custom_scheme";
}

function redirectUriFault(uri: string): string | undefined {
  if (uri.length > MAX_URI_LENGTH) return `redirect_uris must be at most ${MAX_URI_LENGTH} characters long`;
  // Whatever a browser would drop, turn or show otherwise has no place in an address that is compared as text.
  if (!/^[\x21-\x7e]+$/.test(uri) || /[\\"<>^`{|}]/.test(uri)) return "redirect_uris must be plain addresses, percent-encoded where needed";
  const url = URL.parse(uri);
  if (url === null) return "redirect_uris must be absolute addresses";
  if (uri.includes("#")) return "redirect_uris must not have a fragment";
  if (url.username !== "" || url.password !== "") return "redirect_uris must not name a user";
  if (url.protocol === "https:") return LOOPBACK_HOSTS.has(url.hostname) ? "redirect_uris on this machine must use http" : undefined;
  if (url.protocol === "http:") {
    return LOOPBACK_HOSTS.has(url.hostname) ? undefined : "redirect_uris must use https, or http on localhost, 127.0.0.1 or [::1]";
  }
  return FORBIDDEN_SCHEMES.has(url.protocol.slice(0, -1)) ? `redirect_uris must not use the ${url.protocol} scheme` : undefined;
}
