import type { IncomingMessage } from "node:http";

import { FORWARDING_HEADERS } from "./client-address.ts";

/** Why a request is refused with 403: one sentence for its sender. */
export type Refusal = string | undefined;

export interface SiteGuardOptions {
  /** The address that hosts and browsers use: an origin. */
  readonly publicUrl: string;
  /** The address that is bound. */
  readonly host: string;
  /** Further origins that browsers may call from. */
  readonly allowedOrigins: readonly string[];
  /** Refuses requests that came through a proxy. */
  readonly refuseForwarded: boolean;
}

/** Keeps away requests that a foreign web page or a rebound name brought here. */
export interface SiteGuard {
  /** Checks `Host`, forwarding headers and, unless pages of any origin may ask, `Origin`. */
  refusal(req: IncomingMessage, route?: { readonly anyOrigin?: boolean | undefined }): Refusal;
  /** True for an `Origin` that may read answers. */
  allowsOrigin(origin: string): boolean;
}

const LOOPBACK_NAME = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** Makes the guard. Loopback names are always good: no name of a foreign page can be one. */
export function createSiteGuard(options: SiteGuardOptions): SiteGuard {
  const publicUrl = new URL(options.publicUrl);
  const hosts = new Set([publicUrl.host, publicUrl.hostname, bracketed(options.host)]);
  const origins = new Set([publicUrl.origin, ...options.allowedOrigins]);
  const allowsHost = (host: string): boolean => hosts.has(host) || hosts.has(nameOf(host)) || LOOPBACK_NAME.test(nameOf(host));
  const allowsOrigin = (origin: string): boolean => origins.has(origin) || isLoopbackOrigin(origin);
  return {
    allowsOrigin,
    refusal: ({ headers }, route) => {
      if (options.refuseForwarded && FORWARDING_HEADERS.some((name) => headers[name] !== undefined)) {
        return "This gateway runs a demo that is for this machine only and takes no forwarded requests. Set PUBLIC_URL, and DEMO=off, to serve it through a proxy.";
      }
      if (headers.host === undefined || !allowsHost(headers.host.toLowerCase())) {
        return `The Host header names another site. Use ${publicUrl.origin}, or set PUBLIC_URL to the address that clients use.`;
      }
      if (headers.origin !== undefined && route?.anyOrigin !== true && !allowsOrigin(headers.origin)) {
        return "The Origin header names a web page that may not call this gateway. Add its origin to ALLOWED_ORIGINS if it should.";
      }
      return undefined;
    },
  };
}

function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && url.origin === origin && LOOPBACK_NAME.test(url.hostname);
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host.toLowerCase();
}

/** A host header without its port. */
function nameOf(host: string): string {
  return host.replace(/:\d+$/, "");
}
