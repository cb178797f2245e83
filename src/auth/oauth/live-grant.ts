import type { AppGrantRow } from "../../storage/app-grants.ts";

/** True while a grant is in force: not revoked, not expired, and not unused for too long. */
export function isGrantLive(
  grant: Pick<AppGrantRow, "revoked_at" | "expires_at" | "created_at" | "issued_at" | "last_used_at">,
  now: number,
  unusedLimitMs: number,
): boolean {
  if (grant.revoked_at !== null) return false;
  if (grant.expires_at !== null && grant.expires_at <= now) return false;
  // Fetching new tokens is use, too: a host that keeps itself connected is not cut off.
  return Math.max(grant.created_at, grant.issued_at ?? 0, grant.last_used_at ?? 0) > now - unusedLimitMs;
}
