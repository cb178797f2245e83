import type { Clock } from "../../lib/clock.ts";
import { type Random, randomId } from "../../lib/random.ts";
import { Secret, sha256Hex } from "../../lib/secret.ts";
import { findSignInLink, insertSignInLink, type SignInLinkRow } from "../../storage/sign-in-links.ts";
import type { Storage } from "../../storage/storage.ts";
import { storedText } from "../../storage/stored-text.ts";

/** What a link is for: the gateway's first person, a further one, or a new password for one who has an account. */
export type LinkKind = "setup" | "invite" | "reset";

/** A link to be made. */
export interface NewLink {
  readonly kind: LinkKind;
  /** Whose password a `reset` changes. */
  readonly userId?: string;
  /** Who invites; absent when a command of the machine does. */
  readonly invitedBy?: string;
  /** For whom it is, for its maker to remember. */
  readonly note?: string;
  readonly makesOperator?: boolean;
}

/** A link that can be used, or why it can't. */
export type FoundLink =
  | { readonly kind: "usable"; readonly link: SignInLinkRow }
  | { readonly kind: "unusable"; readonly reason: "unknown" | "used" | "expired" };

export interface LinkDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
}

const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const HOUR_MS = 3_600_000;
/** How long a link can be used. Whoever holds one becomes that person, so not long; an invitation travels by mail. */
export const LINK_HOURS: Readonly<Record<LinkKind, number>> = { setup: 24, invite: 168, reset: 24 };
const MAX_NOTE = 100;

/** Makes a link and answers its path, `/<kind>/<token>`, the only time it can be seen. Throws `RangeError` when too many are open. */
export async function createLink({ storage, clock, random }: LinkDeps, wanted: NewLink): Promise<Secret> {
  const token = random.bytes(TOKEN_BYTES).toString("base64url");
  const now = clock.now();
  await insertSignInLink(storage, {
    id: randomId(random, "lnk_"),
    token_hash: sha256Hex(token),
    kind: wanted.kind,
    user_id: wanted.userId ?? null,
    invited_by: wanted.invitedBy ?? null,
    note: storedText(wanted.note?.trim() ?? "", MAX_NOTE),
    makes_operator: wanted.kind === "setup" || wanted.makesOperator === true ? 1 : 0,
    created_at: now,
    expires_at: now + LINK_HOURS[wanted.kind] * HOUR_MS,
    used_at: null,
  });
  return new Secret(`/${wanted.kind}/${token}`);
}

/** Finds the link of this kind that a token opens. */
export async function findLink({ storage, clock }: LinkDeps, kind: LinkKind, token: string): Promise<FoundLink> {
  const link = TOKEN.test(token) ? await findSignInLink(storage.db, sha256Hex(token)) : undefined;
  if (link === undefined || link.kind !== kind) return { kind: "unusable", reason: "unknown" };
  if (link.used_at !== null) return { kind: "unusable", reason: "used" };
  return link.expires_at <= clock.now() ? { kind: "unusable", reason: "expired" } : { kind: "usable", link };
}
