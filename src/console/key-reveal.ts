import { z } from "zod";

import type { Clock } from "../lib/clock.ts";
import { Secret } from "../lib/secret.ts";
import type { Sealer } from "../storage/sealing.ts";

/** Carries a new key from the form that made it to the one page that shows it: sealed, in the browser's own cookie, for a short time. */
export interface KeyReveal {
  /** The cookie that takes the key along to that page. */
  cookieFor(place: RevealPlace, key: Secret): string;
  /** The key, when this browser has it for this place and its time isn't over. */
  read(place: RevealPlace, cookieHeader: string | undefined): Secret | undefined;
  /** The cookie that takes it away, once it is shown. */
  clearedCookie(place: RevealPlace): string;
}

/** Whose key it is, and where it is shown. */
export interface RevealPlace {
  readonly userId: string;
  /** Path of the one page that shows it; the browser sends the cookie there and nowhere else. */
  readonly path: string;
}

/** Time to follow one redirect, also over a slow line. */
const LASTS_MS = 5 * 60_000;
const NAME = "ibkr_new_key";
const contentSchema = z.object({ key: z.string(), expires_at: z.number() });

/** Makes it. `isHttps` tells whether the cookie may ask for a safe line. */
export function createKeyReveal({ sealer, clock }: { sealer: Sealer; clock: Clock }, isHttps: () => boolean): KeyReveal {
  const cookie = ({ path }: RevealPlace, value: string, maxAgeSeconds: number): string =>
    `${NAME}=${value}; Path=${path}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${isHttps() ? "; Secure" : ""}`;
  return {
    cookieFor: (place, key) => {
      const content = JSON.stringify({ key: key.reveal(), expires_at: clock.now() + LASTS_MS });
      return cookie(place, sealer.seal(content, sealedPlace(place)), LASTS_MS / 1_000);
    },
    read: (place, cookieHeader) => {
      const sealed = /(?:^|;\s*)ibkr_new_key=([\w.-]{1,1000})(?:;|$)/.exec(cookieHeader ?? "")?.[1];
      if (sealed === undefined) return undefined;
      const content = contentSchema.safeParse(opened(sealer, sealed, place));
      return content.success && content.data.expires_at > clock.now() ? new Secret(content.data.key) : undefined;
    },
    clearedCookie: (place) => cookie(place, "", 0),
  };
}

/** What the cookie holds; undefined when it wasn't sealed here for this place. */
function opened(sealer: Sealer, sealed: string, place: RevealPlace): unknown {
  try {
    return JSON.parse(sealer.unseal(sealed, sealedPlace(place)));
  } catch {
    return undefined;
  }
}

function sealedPlace({ userId, path }: RevealPlace) {
  return { table: "api_keys", column: "new_key_cookie", rowId: path, userId };
}
