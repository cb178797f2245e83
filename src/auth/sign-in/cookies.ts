import { createHmac } from "node:crypto";

import type { Random } from "../../lib/random.ts";

/** Reads and writes our two cookies: the session's, and the visitor's, which binds forms and flows before anybody is signed in. */
export interface CookieJar {
  session(cookieHeader: string | undefined): string | undefined;
  visitor(cookieHeader: string | undefined): string | undefined;
  setSession(secret: string, maxAgeMs: number): string;
  setVisitor(secret: string): string;
  clearSession(): string;
  clearVisitor(): string;
}

const SECRET_BYTES = 32;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
/** Longer headers are not ours to read. */
const MAX_HEADER = 16_384;

/**
 * Makes the jar. On https the names carry `__Host-`, so that no other host and no plain http can set them; browsers take
 * such names only with `Secure`, so that `http://localhost` has names of its own.
 */
export function createCookieJar(isHttps: boolean): CookieJar {
  const sessionName = isHttps ? "__Host-ibkr_session" : "ibkr_session";
  const visitorName = isHttps ? "__Host-ibkr_visitor" : "ibkr_visitor";
  const rules = `; Path=/; HttpOnly; SameSite=Lax${isHttps ? "; Secure" : ""}`;
  return {
    session: (header) => readCookie(header, sessionName),
    visitor: (header) => readCookie(header, visitorName),
    setSession: (secret, maxAgeMs) => `${sessionName}=${secret}; Max-Age=${Math.floor(maxAgeMs / 1_000)}${rules}`,
    setVisitor: (secret) => `${visitorName}=${secret}${rules}`,
    clearSession: () => `${sessionName}=; Max-Age=0${rules}`,
    clearVisitor: () => `${visitorName}=; Max-Age=0${rules}`,
  };
}

/** A new 256-bit value for a cookie. */
export function newCookieSecret(random: Random): string {
  return random.bytes(SECRET_BYTES).toString("base64url");
}

/** The token that stands in forms: it follows from the cookie and can't be had without it. */
export function formTokenOf(cookieSecret: string): string {
  return derivedFrom(cookieSecret, "form");
}

/** A value for one purpose that only the holder of the cookie can give, so that none has to be stored. */
export function derivedFrom(cookieSecret: string, purpose: string): string {
  return createHmac("sha256", cookieSecret).update(purpose).digest("base64url");
}

/** Two values under one name, which a neighbouring host can cause, count as none. */
function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined;
  const values = header.split(";").flatMap((part) => {
    const at = part.indexOf("=");
    return at !== -1 && part.slice(0, at).trim() === name ? [part.slice(at + 1).trim()] : [];
  });
  const [value] = values;
  return values.length === 1 && value !== undefined && SECRET.test(value) ? value : undefined;
}
