/** The headers that tell where a form was sent from. */
export interface OriginHeaders {
  readonly origin: string | undefined;
  readonly host: string | undefined;
  readonly secFetchSite: string | undefined;
}

/**
 * Tells whether a form was sent by a page of ours: its `Origin` is the public one (or, on plain http, that of the address it was sent to),
 * or, where a browser leaves `Origin` out, `Sec-Fetch-Site` says `same-origin`. Both missing is no.
 */
export function isSameOrigin(headers: OriginHeaders, publicUrl: string): boolean {
  if (headers.secFetchSite !== undefined && headers.secFetchSite !== "same-origin") return false;
  if (headers.origin === undefined) return headers.secFetchSite === "same-origin";
  if (headers.origin === new URL(publicUrl).origin) return true;
  // On plain http the gateway is this machine's own and answers to several names of it; which hosts count is checked before.
  return publicUrl.startsWith("http:") && headers.host !== undefined && headers.origin === `http://${headers.host.toLowerCase()}`;
}
