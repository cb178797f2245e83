import { randomId } from "../../lib/random.ts";
import { findLocalAccount, insertLocalAccount } from "../../storage/local-accounts.ts";
import { insertOidcIdentity } from "../../storage/oidc-identities.ts";
import { consumeSignInLink, type SignInLinkRow } from "../../storage/sign-in-links.ts";
import { storedText } from "../../storage/stored-text.ts";
import { claimDemoUser, findDemoUser, insertUser } from "../../storage/users.ts";
import type { LinkDeps } from "./one-time-links.ts";

/** How a new person will sign in. */
export type FirstMethod =
  | { readonly kind: "password"; readonly loginName: string; readonly passwordHash: string }
  | { readonly kind: "oidc"; readonly issuer: string; readonly subject: string; readonly email: string | undefined };

/** Who comes in, and by what right: a link, or an e-mail domain that the operator allows. */
export interface NewPerson {
  readonly link: SignInLinkRow | undefined;
  readonly displayName: string;
  readonly method: FirstMethod;
}

/** What became of it. */
export type NewPersonResult =
  | { readonly kind: "created"; readonly userId: string; readonly tookOverDemo: boolean }
  | { readonly kind: "refused"; readonly reason: "link_used" | "login_name_taken" };

/** Longest name that is kept. */
export const MAX_DISPLAY_NAME = 80;

/** Thrown inside the transaction, so that nothing of it is kept: not even the use of the link. */
class Refused extends Error {
  readonly reason: "link_used" | "login_name_taken";
  constructor(reason: "link_used" | "login_name_taken") {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Makes an account in one transaction that also uses the link up: of two who come at once, one gets in. Whoever uses the
 * set-up link takes over the demo's owner, with all that is theirs, and runs the gateway.
 */
export async function createPerson({ storage, clock, random }: LinkDeps, person: NewPerson): Promise<NewPersonResult> {
  const { link, method } = person;
  const now = clock.now();
  const displayName = storedText(person.displayName.trim(), MAX_DISPLAY_NAME);
  try {
    return await storage.transaction(async (db) => {
      if (link !== undefined && !(await consumeSignInLink(db, link.id, now))) throw new Refused("link_used");
      const demo = link?.kind === "setup" ? await findDemoUser({ db }) : undefined;
      const userId = demo?.id ?? randomId(random, "usr_");
      if (demo !== undefined) await claimDemoUser(db, userId, displayName);
      else
        await insertUser(
          { db },
          { id: userId, display_name: displayName, is_demo: 0, is_operator: link?.makes_operator ?? 0, created_at: now },
        );
      if (method.kind === "password") {
        if ((await findLocalAccount(db, method.loginName)) !== undefined) throw new Refused("login_name_taken");
        const { loginName, passwordHash } = method;
        await insertLocalAccount(db, {
          user_id: userId,
          login_name: loginName,
          password_hash: passwordHash,
          created_at: now,
          password_changed_at: now,
        });
      } else {
        const { issuer, subject, email } = method;
        await insertOidcIdentity(db, { issuer, subject, user_id: userId, email: email ?? null, created_at: now, last_used_at: now });
      }
      return { kind: "created", userId, tookOverDemo: demo !== undefined };
    });
  } catch (error) {
    if (error instanceof Refused) return { kind: "refused", reason: error.reason };
    throw error;
  }
}
