import type { Clock } from "../../lib/clock.ts";
import { type Random, randomId } from "../../lib/random.ts";
import { sha256Hex } from "../../lib/secret.ts";
import {
  type BrowserSessionRow,
  deleteBrowserSession,
  deleteBrowserSessions,
  deleteEndedSessions,
  findBrowserSession,
  insertBrowserSession,
  listBrowserSessions,
  touchBrowserSession,
} from "../../storage/browser-sessions.ts";
import type { Storage } from "../../storage/storage.ts";
import { storedText } from "../../storage/stored-text.ts";
import { noteSignIn } from "../../storage/users.ts";
import { type CookieJar, formTokenOf, newCookieSecret } from "./cookies.ts";

/** A person who is signed in with this browser. */
export interface SignedIn {
  readonly userId: string;
  readonly displayName: string;
  /** Names the session in lists; not the secret of the cookie. */
  readonly sessionId: string;
  /** Stands in every form; bound to the session. */
  readonly formToken: string;
  /** Epoch ms at which the person proved who they are. */
  readonly signedInAt: number;
  /** True for those who run this gateway and may invite others. */
  readonly isOperator: boolean;
}

/** Finds who is signed in, by the `Cookie` header. */
export interface BrowserSessions {
  current(cookieHeader: string | undefined): Promise<SignedIn | undefined>;
  /** The same, without counting it as a use: for what an open page asks by itself, so that a browser left alone is signed out all the same. */
  peek(cookieHeader: string | undefined): Promise<SignedIn | undefined>;
}

/** How a person proved who they are. */
export type SignInMethod = "password" | "passkey" | "oidc";

/** Where a browser is. */
export interface BrowserPlace {
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
}

/** A session as its owner sees it. */
export interface ListedSession {
  readonly id: string;
  readonly method: string;
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
  readonly signedInAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
}

/** Begins, lists and ends sessions. */
export interface SessionKeeper extends BrowserSessions {
  /** Begins a session with a new id, ends the one that this browser had, and answers the cookies to set. */
  begin(
    person: { readonly userId: string; readonly method: SignInMethod },
    browser: BrowserPlace & { readonly cookieHeader: string | undefined },
  ): Promise<readonly string[]>;
  list(userId: string): Promise<readonly ListedSession[]>;
  end(userId: string, sessionId: string): Promise<boolean>;
  /** Signs out everywhere, but for `exceptSessionId`. Answers how many sessions ended. */
  endAll(userId: string, exceptSessionId?: string): Promise<number>;
}

/** A session that is not used for this long is over. */
const IDLE_MS = 12 * 3_600_000;
/** Every session is over after this long: a week, then the person signs in again. */
const ABSOLUTE_MS = 7 * 86_400_000;
/** The last use is written at most this often. */
const TOUCH_EVERY_MS = 60_000;
const MAX_ADDRESS = 100;
const MAX_USER_AGENT = 300;

export interface BrowserSessionDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly cookies: CookieJar;
}

/** Makes the keeper of sessions: a 256-bit secret in a cookie, its SHA-256 in our table, nothing remembered in memory. */
export function createBrowserSessions({ storage, clock, random, cookies }: BrowserSessionDeps): SessionKeeper {
  const find = async (cookieHeader: string | undefined) => {
    const secret = cookies.session(cookieHeader);
    if (secret === undefined) return undefined;
    const row = await findBrowserSession(storage, sha256Hex(secret));
    if (row === undefined || isOver(row, clock.now())) return undefined;
    return { secret, row };
  };
  return {
    current: async (cookieHeader) => {
      const found = await find(cookieHeader);
      if (found === undefined) return undefined;
      const { row } = found;
      const now = clock.now();
      if (row.last_seen_at <= now - TOUCH_EVERY_MS) await touchBrowserSession(storage, row.id, now);
      return toSignedIn(found);
    },
    peek: async (cookieHeader) => {
      const found = await find(cookieHeader);
      return found === undefined ? undefined : toSignedIn(found);
    },
    begin: async ({ userId, method }, { cookieHeader, address, userAgent }) => {
      const secret = newCookieSecret(random);
      const now = clock.now();
      const earlier = await find(cookieHeader);
      await storage.transaction(async (transaction) => {
        if (earlier !== undefined) await deleteBrowserSession(transaction, earlier.row.user_id, earlier.row.id);
        await deleteEndedSessions(transaction, now, now - IDLE_MS);
        await noteSignIn(transaction, userId, now);
        await insertBrowserSession(transaction, {
          id: randomId(random, "ses_"),
          token_hash: sha256Hex(secret),
          user_id: userId,
          method,
          address: address === undefined ? null : storedText(address, MAX_ADDRESS),
          user_agent: userAgent === undefined ? null : storedText(userAgent, MAX_USER_AGENT),
          created_at: now,
          last_seen_at: now,
          expires_at: now + ABSOLUTE_MS,
        });
      });
      return [cookies.setSession(secret, ABSOLUTE_MS), cookies.clearVisitor()];
    },
    list: async (userId) => {
      const now = clock.now();
      return (await listBrowserSessions(storage, userId)).filter((row) => !isOver(row, now)).map(toListed);
    },
    end: (userId, sessionId) => deleteBrowserSession(storage.db, userId, sessionId),
    endAll: (userId, exceptSessionId) => deleteBrowserSessions(storage.db, userId, exceptSessionId),
  };
}

interface FoundSession {
  readonly row: NonNullable<Awaited<ReturnType<typeof findBrowserSession>>>;
  readonly secret: string;
}

function toSignedIn({ row, secret }: FoundSession): SignedIn {
  return {
    userId: row.user_id,
    displayName: row.display_name,
    sessionId: row.id,
    formToken: formTokenOf(secret),
    signedInAt: row.created_at,
    isOperator: row.is_operator === 1,
  };
}

function isOver(row: BrowserSessionRow, now: number): boolean {
  return row.expires_at <= now || row.last_seen_at <= now - IDLE_MS;
}

function toListed(row: BrowserSessionRow): ListedSession {
  return {
    id: row.id,
    method: row.method,
    address: row.address ?? undefined,
    userAgent: row.user_agent ?? undefined,
    signedInAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
  };
}
