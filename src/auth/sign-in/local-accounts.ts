import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { deleteBrowserSessions } from "../../storage/browser-sessions.ts";
import { findLocalAccount, findLocalAccountOf, updatePasswordHash } from "../../storage/local-accounts.ts";
import { consumeSignInLink, type SignInLinkRow } from "../../storage/sign-in-links.ts";
import type { Storage } from "../../storage/storage.ts";
import type { PasswordHasher } from "./password-hashing.ts";
import type { SignInThrottle } from "./throttle.ts";

/** What a try with name and password gave. */
export type PasswordResult =
  | { readonly kind: "right"; readonly userId: string }
  | { readonly kind: "wrong" }
  | { readonly kind: "throttled"; readonly waitSeconds: number };

/** Signs in with name and password, and changes passwords. */
export interface LocalAccounts {
  /** Checks a name and password. Unknown names take the time of known ones, and count as tries too. */
  check(loginName: string, password: string, address: string | undefined): Promise<PasswordResult>;
  /** The user's login name; undefined when they have no password. */
  loginNameOf(userId: string): Promise<string | undefined>;
  /** Checks the password of somebody who is signed in, under the same limits. */
  checkOwn(userId: string, password: string, address: string | undefined): Promise<PasswordResult>;
  /** Sets a new password and ends the user's other sessions. */
  change(userId: string, password: string, keepSessionId: string): Promise<void>;
  /** Sets a new password by a one-time link and ends all sessions. False when the link was used meanwhile. */
  reset(link: SignInLinkRow, password: string): Promise<boolean>;
}

export interface LocalAccountDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly hasher: PasswordHasher;
  readonly throttle: SignInThrottle;
}

/** Longest name and password that are looked at; what is longer is nobody's. */
const MAX_TYPED = 300;

/** Brings a login name into the form in which it is stored; undefined when it can't be one. */
export function loginNameFrom(typed: unknown): string | undefined {
  if (typeof typed !== "string") return undefined;
  const name = typed.normalize("NFKC").trim().toLowerCase();
  return /^[\p{L}\p{N}][\p{L}\p{N}._%+@-]{1,98}[\p{L}\p{N}]$/u.test(name) ? name : undefined;
}

/** Makes the part that knows passwords. */
export function createLocalAccounts(deps: LocalAccountDeps): LocalAccounts {
  const { storage, clock, hasher, throttle, log } = deps;
  const check: LocalAccounts["check"] = async (typedName, password, address) => {
    const loginName = typedName.slice(0, MAX_TYPED).normalize("NFKC").trim().toLowerCase();
    const waitSeconds = await throttle.count({ loginName, address });
    if (waitSeconds > 0) {
      log.warn({ event: "sign_in_throttled", address }, "too many tries to sign in");
      return { kind: "throttled", waitSeconds };
    }
    const account = await findLocalAccount(storage.db, loginName.replaceAll("\0", "").toWellFormed());
    const { matches, outdated } = await hasher.verify(password.slice(0, MAX_TYPED), account?.password_hash);
    if (!matches || account === undefined) {
      log.warn({ event: "sign_in_failed", method: "password", user_id: account?.user_id, address }, "a sign-in failed");
      return { kind: "wrong" };
    }
    await throttle.succeeded({ loginName, address });
    if (outdated) await updatePasswordHash(storage.db, { userId: account.user_id, passwordHash: await hasher.hash(password) });
    return { kind: "right", userId: account.user_id };
  };
  const loginNameOf = async (userId: string) => (await findLocalAccountOf(storage, userId))?.login_name;
  return {
    check,
    loginNameOf,
    checkOwn: async (userId, password, address) => {
      const loginName = await loginNameOf(userId);
      return loginName === undefined ? { kind: "wrong" } : await check(loginName, password, address);
    },
    change: async (userId, password, keepSessionId) => {
      const passwordHash = await hasher.hash(password);
      await storage.transaction(async (transaction) => {
        await updatePasswordHash(transaction, { userId, passwordHash, changedAt: clock.now() });
        await deleteBrowserSessions(transaction, userId, keepSessionId);
      });
      log.info({ event: "password_changed", user_id: userId }, "a password was changed");
    },
    reset: async (link, password) => {
      const userId = link.user_id;
      if (userId === null) return false;
      const passwordHash = await hasher.hash(password);
      const done = await storage.transaction(async (transaction) => {
        if (!(await consumeSignInLink(transaction, link.id, clock.now()))) return false;
        await updatePasswordHash(transaction, { userId, passwordHash, changedAt: clock.now() });
        await deleteBrowserSessions(transaction, userId);
        return true;
      });
      if (done) log.info({ event: "password_reset", user_id: userId }, "a password was reset by a one-time link");
      return done;
    },
  };
}
