import type { PageRequest } from "../pages/page-env.ts";
import { isSameOrigin } from "../pages/same-origin.ts";
import type { BrowserSessions, SignedIn } from "./sign-in/browser-session.ts";

export interface SentFormDeps {
  readonly sessions: BrowserSessions;
  /** The gateway's own origin; known once it listens. */
  readonly publicUrl: () => string;
}

/** A form that a page of ours sent for a signed-in person; its form token is still to be checked. */
export type SentForm =
  | { readonly kind: "foreign" }
  | { readonly kind: "signed_out"; readonly fields: URLSearchParams }
  | { readonly kind: "form"; readonly signedIn: SignedIn; readonly fields: URLSearchParams };

/** Reads a form after checking that a page of ours sent it and that somebody is signed in. */
export async function readSentForm({ sessions, publicUrl }: SentFormDeps, c: PageRequest): Promise<SentForm> {
  const headers = { origin: c.req.header("origin"), host: c.req.header("host"), secFetchSite: c.req.header("sec-fetch-site") };
  if (!isSameOrigin(headers, publicUrl())) return { kind: "foreign" };
  const signedIn = await sessions.current(c.req.header("cookie"));
  const fields = new URLSearchParams(await c.req.text());
  return signedIn === undefined ? { kind: "signed_out", fields } : { kind: "form", signedIn, fields };
}
