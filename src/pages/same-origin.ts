/** The headers that tell where a form was sent from. */
export interface OriginHeaders {
  readonly origin: string | undefined;
  readonly host: string | undefined;
  readonly secFetchSite: string | undefined;
}

/**
 * Tells whether a form was sent by a page of ours: its `Origin` is the public one or that of the address it was sent to,
 * or, where a browser leaves `Origin` out, `Sec-Fetch-Site` says `same-origin`. Both missing is no.
 */
export function isSameOrigin(headers: OriginHeaders, publicUrl: string): boolean {
  if (headers.secFetchSite !== undefined && headers.secFetchSite !== "same-origin") return false;
  if (headers.origin === undefined) return headers.secFetchSite === "same-origin";
  const origin = URL.parse(headers.origin);
  if (origin === null || origin.origin !== headers.origin) return false;
  return origin.origin === new URL(publicUrl).origin || origin.host === headers.host?.toLowerCase();
}
