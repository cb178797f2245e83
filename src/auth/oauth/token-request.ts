import { setCanonicalResource } from "./resource.ts";

/**
 * Normalises the form of a token request: `resource` in its one spelling where it is given, and of the scope asked at a refresh
 * only what is ours. A host may narrow its scope so, never widen it.
 */
export function normalizedTokenForm(text: string, issuer: string): URLSearchParams {
  const form = new URLSearchParams(text);
  if (form.has("resource")) setCanonicalResource(form, issuer);
  if (form.getAll("scope").length === 1) {
    const asked = (form.get("scope") ?? "").split(" ");
    form.delete("scope");
    // Who asks for everything gets what was granted, as those do who ask for nothing.
    if (asked.includes("read") && !asked.includes("write") && form.get("grant_type") === "refresh_token") form.set("scope", "read");
  }
  return form;
}
