import type { Scope } from "../../connections/caller.ts";
import { setCanonicalResource } from "./resource.ts";

/** The parameter of our own that carries the asked scope to the consent page. */
export const ASKED_SCOPE = "asked_scope";

/** Parameters that mean something here, or that the library has to refuse. Others (`nonce`, `max_age`, `claims` …) belong to OpenID. */
const KEPT = new Set([
  "client_id",
  "code_challenge",
  "code_challenge_method",
  "prompt",
  "redirect_uri",
  "registration",
  "request",
  "request_uri",
  "resource",
  "response_mode",
  "response_type",
  "scope",
  "state",
]);
const KNOWN_PROMPTS = new Set(["none", "login", "consent"]);

/**
 * Normalises the query of an authorization request. The scope is always asked for in full, and what the host asked is kept as
 * a hint: the person picks, and the token answer says what was granted.
 */
export function normalizedAuthorizeQuery(query: string, issuer: string): URLSearchParams {
  const given = new URLSearchParams(query);
  const asked = askedScope(given.get("scope"));
  const kept = new URLSearchParams([...given].filter(([name]) => KEPT.has(name)));
  const prompts = (given.get("prompt") ?? "").split(" ").filter((prompt) => KNOWN_PROMPTS.has(prompt));
  // A parameter that came twice stays twice, so that the library refuses it.
  if (kept.getAll("prompt").length === 1) kept.delete("prompt");
  if (prompts.length > 0 && !kept.has("prompt")) kept.set("prompt", prompts.join(" "));
  if (kept.getAll("scope").length <= 1) kept.set("scope", "read write");
  // Asked for another way, the library would refuse in just that way: with a script, or in a fragment that hosts don't read.
  if (kept.getAll("response_mode").some((mode) => mode !== "query")) kept.set("response_mode", "unsupported");
  setCanonicalResource(kept, issuer);
  if (asked !== undefined) kept.set(ASKED_SCOPE, asked);
  return kept;
}

/** The scope of ours that a host asked for, if any. */
function askedScope(scope: string | null): Scope | undefined {
  const asked = (scope ?? "").split(" ");
  return asked.includes("write") ? "write" : asked.includes("read") ? "read" : undefined;
}
