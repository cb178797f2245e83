/**
 * Lists the origins that a client may have signed whatever Host header it sends: the public URL, the one that the
 * server listens on, loopback, and IBKR's own, which some clients name even when they call another server.
 */
export function knownOrigins(url: string, publicUrl: string | undefined, port: number): readonly string[] {
  const known = publicUrl === undefined ? [url] : [new URL(publicUrl).origin, url];
  return [...known, ...["127.0.0.1", "localhost"].flatMap((name) => originsOfHost(`${name}:${port}`)), "https://api.ibkr.com"];
}

/** Lists the origins that a Host header may stand for. */
export function originsOfHost(host: string | undefined): readonly string[] {
  return host === undefined ? [] : [`http://${host}`, `https://${host}`];
}
