import type { Caller } from "../connections/caller.ts";

/** Who a request comes from, for the record of a key's last use. */
export interface RequestOrigin {
  /** The client's network address, as far as trusted proxies tell it. */
  readonly address: string | undefined;
  /** The `User-Agent` header. */
  readonly client: string | undefined;
}

/** What an `Authorization` header proved: a caller, or the reason for a 401. */
export type Authentication =
  | { readonly kind: "caller"; readonly caller: Caller }
  /** `missing`: no bearer token was sent; `invalid`: it is unknown, revoked or expired. */
  | { readonly kind: "refused"; readonly reason: "missing" | "invalid" };

/** Finds the caller behind an `Authorization` header; asked anew for each request. */
export type Authenticate = (authorization: string | undefined, origin: RequestOrigin) => Authentication | Promise<Authentication>;
