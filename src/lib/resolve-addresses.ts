import { lookup, type LookupAddress } from "node:dns";

/** Finds all addresses of a name. */
export type ResolveAddresses = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Asks the machine's resolver, which knows its hosts file and its DNS. Rejects with node's error. */
export function resolveBySystem(hostname: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}

/** Waits for a promise until the signal aborts: a look-up can't be stopped, but nobody waits for it longer. */
export function beforeAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
