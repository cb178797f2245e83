import { isIP } from "node:net";

import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import { z } from "zod";

import { messageOf } from "../../lib/errors.ts";
import { sha256Hex } from "../../lib/secret.ts";
import { deletePasskey, findPasskey, insertPasskey, listPasskeys, notePasskeyUse, type PasskeyRow } from "../../storage/passkeys.ts";
import { isRefusedData } from "../../storage/refused-data.ts";
import { insertSignInFlow, takeSignInFlow } from "../../storage/sign-in-flows.ts";
import { storedText } from "../../storage/stored-text.ts";
import type { SignInDeps } from "./sign-in-deps.ts";

/** Who asks for a passkey, and in which browser: `browserSecret` is its cookie's value. */
export interface PasskeyOwner {
  readonly userId: string;
  readonly loginName: string;
  readonly displayName: string;
}

/** A passkey that can't be used or added, and why. */
export type PasskeyResult<Right> = ({ readonly kind: "right" } & Right) | { readonly kind: "wrong"; readonly reason: string };

/** Adds passkeys and signs in with them (WebAuthn level 3, discoverable credentials, user verification). */
export interface Passkeys {
  optionsToAdd(owner: PasskeyOwner, browserSecret: string): Promise<PublicKeyCredentialCreationOptionsJSON>;
  add(userId: string, browserSecret: string, reply: unknown): Promise<PasskeyResult<{ readonly passkey: PasskeyRow }>>;
  optionsToSignIn(browserSecret: string): Promise<PublicKeyCredentialRequestOptionsJSON>;
  signIn(browserSecret: string, reply: unknown): Promise<PasskeyResult<{ readonly userId: string }>>;
  list(userId: string): Promise<readonly PasskeyRow[]>;
  remove(userId: string, id: string): Promise<boolean>;
}

/** How long a person may take over the authenticator's dialogue. */
const FLOW_MS = 300_000;
const CHALLENGE_BYTES = 32;
const MAX_LABEL = 60;
/** EdDSA, ES256 and RS256: what authenticators have. */
const ALGORITHMS = [-8, -7, -257];
const base64url = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(100_000);
const shared = {
  id: base64url.max(2_000),
  rawId: base64url,
  type: z.literal("public-key"),
  clientExtensionResults: z.looseObject({}).default({}),
};
const registration = z.object({
  label: z.string().max(300).default(""),
  credential: z.looseObject({
    ...shared,
    response: z.looseObject({
      clientDataJSON: base64url,
      attestationObject: base64url,
      transports: z.array(z.string().max(30)).max(10).optional(),
    }),
  }),
});
const assertion = z.object({
  credential: z.looseObject({
    ...shared,
    response: z.looseObject({
      clientDataJSON: base64url,
      authenticatorData: base64url,
      signature: base64url,
      userHandle: base64url.nullish().transform((value) => value ?? undefined),
    }),
  }),
});

/** Tells why passkeys can't be used at this public address; undefined when they can. Browsers bind them to a domain name, never to an IP address. */
export function passkeyObstacle(publicUrl: string): "ip_address" | undefined {
  return isIP(new URL(publicUrl).hostname.replaceAll(/[[\]]/g, "")) === 0 ? undefined : "ip_address";
}

/** Makes the part that knows passkeys; they belong to the host name of the public URL. */
export function createPasskeys(deps: SignInDeps): Passkeys {
  const { storage, log, publicUrl } = deps;
  return {
    optionsToAdd: async (owner, browserSecret) => {
      const known = await listPasskeys(storage, owner.userId);
      return await generateRegistrationOptions({
        rpName: "IBKR Gateway",
        rpID: rpIdOf(publicUrl()),
        userName: owner.loginName,
        userDisplayName: owner.displayName,
        userID: new Uint8Array(Buffer.from(owner.userId, "utf8")),
        challenge: await beginFlow(deps, { purpose: "passkey_add", browserSecret, userId: owner.userId }),
        timeout: FLOW_MS,
        attestationType: "none",
        supportedAlgorithmIDs: ALGORITHMS,
        excludeCredentials: known.map((row) => ({ id: row.id, transports: parseTransports(row.transports) })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
    },
    add: (userId, browserSecret, reply) => addPasskey(deps, { userId, browserSecret, reply }),
    optionsToSignIn: async (browserSecret) =>
      await generateAuthenticationOptions({
        rpID: rpIdOf(publicUrl()),
        challenge: await beginFlow(deps, { purpose: "passkey_sign_in", browserSecret, userId: null }),
        timeout: FLOW_MS,
        userVerification: "required",
      }),
    signIn: (browserSecret, reply) => signInWithPasskey(deps, browserSecret, reply),
    list: (userId) => listPasskeys(storage, userId),
    remove: async (userId, id) => {
      const removed = await deletePasskey(storage, userId, id);
      if (removed) log.info({ event: "passkey_removed", user_id: userId }, "a passkey was removed");
      return removed;
    },
  };
}

interface PasskeyFlow {
  readonly purpose: "passkey_add" | "passkey_sign_in";
  readonly browserSecret: string;
  readonly userId: string | null;
}

/** Makes a challenge for this browser and purpose. */
async function beginFlow({ storage, clock, random }: SignInDeps, { purpose, browserSecret, userId }: PasskeyFlow) {
  const challenge = random.bytes(CHALLENGE_BYTES);
  const now = clock.now();
  const flow = { id_hash: sha256Hex(challenge.toString("base64url")), purpose, browser_hash: sha256Hex(browserSecret) };
  await insertSignInFlow(storage, { ...flow, user_id: userId, link_id: null, return_to: "", expires_at: now + FLOW_MS }, now);
  return new Uint8Array(challenge);
}

/** Uses a challenge up: it was ours, given to this browser for this purpose, within the last five minutes. */
function takeChallenge({ storage, clock }: SignInDeps, purpose: PasskeyFlow["purpose"], browserSecret: string) {
  return async (challenge: string): Promise<boolean> => {
    const key = { id_hash: sha256Hex(challenge), purpose, browser_hash: sha256Hex(browserSecret) };
    return (await takeSignInFlow(storage, key, clock.now())) !== undefined;
  };
}

function refused({ log }: SignInDeps, reason: string): { kind: "wrong"; reason: string } {
  log.warn({ event: "passkey_refused", reason }, "a passkey was refused");
  return { kind: "wrong", reason };
}

async function addPasskey(
  deps: SignInDeps,
  { userId, browserSecret, reply }: { userId: string; browserSecret: string; reply: unknown },
): Promise<PasskeyResult<{ readonly passkey: PasskeyRow }>> {
  const parsed = registration.safeParse(reply);
  if (!parsed.success) return refused(deps, "the reply has not the form of a passkey");
  const { label, credential } = parsed.data;
  const checked = await verifyRegistrationResponse({
    // The schema has checked every field that the library reads.
    response: credential as unknown as RegistrationResponseJSON,
    expectedChallenge: takeChallenge(deps, "passkey_add", browserSecret),
    expectedOrigin: deps.publicUrl(),
    expectedRPID: rpIdOf(deps.publicUrl()),
    supportedAlgorithmIDs: ALGORITHMS,
    requireUserVerification: true,
  }).catch((error: unknown) => refused(deps, messageOf(error)));
  if ("kind" in checked) return checked;
  if (!checked.verified) return refused(deps, "its signature is not right");
  const { credential: made, credentialBackedUp } = checked.registrationInfo;
  const passkey: PasskeyRow = {
    id: made.id,
    user_id: userId,
    label: storedText(label.trim(), MAX_LABEL) || "Passkey",
    public_key: Buffer.from(made.publicKey).toString("base64url"),
    counter: made.counter,
    transports: JSON.stringify(credential.response.transports ?? []),
    backed_up: credentialBackedUp ? 1 : 0,
    created_at: deps.clock.now(),
    last_used_at: null,
  };
  try {
    await insertPasskey(deps.storage, passkey);
  } catch (error) {
    if (isRefusedData(error)) return refused(deps, error instanceof RangeError ? error.message : "it is in use already");
    throw error;
  }
  deps.log.info({ event: "passkey_added", user_id: userId }, "a passkey was added");
  return { kind: "right", passkey };
}

async function signInWithPasskey(
  deps: SignInDeps,
  browserSecret: string,
  reply: unknown,
): Promise<PasskeyResult<{ readonly userId: string }>> {
  const parsed = assertion.safeParse(reply);
  if (!parsed.success) return refused(deps, "the reply has not the form of a passkey");
  const { credential } = parsed.data;
  const passkey = await findPasskey(deps.storage, credential.id);
  if (passkey === undefined) return refused(deps, "it is not known here");
  const checked = await verifyAuthenticationResponse({
    // The schema has checked every field that the library reads.
    response: credential as unknown as AuthenticationResponseJSON,
    expectedChallenge: takeChallenge(deps, "passkey_sign_in", browserSecret),
    expectedOrigin: deps.publicUrl(),
    expectedRPID: rpIdOf(deps.publicUrl()),
    // The counter is compared below, where two uses at once are told apart as well.
    credential: { id: passkey.id, publicKey: new Uint8Array(Buffer.from(passkey.public_key, "base64url")), counter: 0 },
    requireUserVerification: true,
  }).catch((error: unknown) => refused(deps, messageOf(error)));
  if ("kind" in checked) return checked;
  if (!checked.verified) return refused(deps, "its signature is not right");
  const { userHandle } = credential.response;
  const isOther = userHandle !== undefined && Buffer.from(userHandle, "base64url").toString("utf8") !== passkey.user_id;
  if (isOther) return refused(deps, "it names another user");
  const { newCounter } = checked.authenticationInfo;
  // WebAuthn section 6.1.1: a counter that does not grow tells of a copied authenticator; one that stays 0 isn't kept.
  const isCopied = (passkey.counter > 0 || newCounter > 0) && newCounter <= passkey.counter;
  if (isCopied) return refused(deps, "its counter went back, as a copy's would");
  const use = { id: passkey.id, previousCounter: passkey.counter, counter: newCounter, at: deps.clock.now() };
  return (await notePasskeyUse(deps.storage, use))
    ? { kind: "right", userId: passkey.user_id }
    : refused(deps, "it was used twice at once");
}

function rpIdOf(publicUrl: string): string {
  return new URL(publicUrl).hostname;
}

function parseTransports(stored: string): string[] {
  return z.array(z.string()).parse(JSON.parse(stored));
}
