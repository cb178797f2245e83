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
export function createPasskeys({ storage, clock, random, log, publicUrl }: SignInDeps): Passkeys {
  const rpId = () => new URL(publicUrl()).hostname;
  const begin = async (purpose: "passkey_add" | "passkey_sign_in", browserSecret: string, userId: string | null) => {
    const challenge = random.bytes(CHALLENGE_BYTES);
    const now = clock.now();
    const flow = { id_hash: sha256Hex(challenge.toString("base64url")), purpose, browser_hash: sha256Hex(browserSecret) };
    await insertSignInFlow(storage, { ...flow, user_id: userId, link_id: null, return_to: "", expires_at: now + FLOW_MS }, now);
    return new Uint8Array(challenge);
  };
  /** Uses a challenge up: it was ours, given to this browser for this purpose, within the last five minutes. */
  const take = (purpose: string, browserSecret: string) => async (challenge: string) => {
    const key = { id_hash: sha256Hex(challenge), purpose, browser_hash: sha256Hex(browserSecret) };
    return (await takeSignInFlow(storage, key, clock.now())) !== undefined;
  };
  const failed = (reason: string): { kind: "wrong"; reason: string } => {
    log.warn({ event: "passkey_refused", reason }, "a passkey was refused");
    return { kind: "wrong", reason };
  };
  return {
    optionsToAdd: async (owner, browserSecret) => {
      const known = await listPasskeys(storage, owner.userId);
      return await generateRegistrationOptions({
        rpName: "IBKR Gateway",
        rpID: rpId(),
        userName: owner.loginName,
        userDisplayName: owner.displayName,
        userID: new Uint8Array(Buffer.from(owner.userId, "utf8")),
        challenge: await begin("passkey_add", browserSecret, owner.userId),
        timeout: FLOW_MS,
        attestationType: "none",
        excludeCredentials: known.map((row) => ({ id: row.id, transports: parseTransports(row.transports) })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
    },
    add: async (userId, browserSecret, reply) => {
      const parsed = registration.safeParse(reply);
      if (!parsed.success) return failed("the reply has not the form of a passkey");
      const { label, credential } = parsed.data;
      const checked = await verifyRegistrationResponse({
        // The schema has checked every field that the library reads.
        response: credential as unknown as RegistrationResponseJSON,
        expectedChallenge: take("passkey_add", browserSecret),
        expectedOrigin: publicUrl(),
        expectedRPID: rpId(),
        requireUserVerification: true,
      }).catch((error: unknown) => failed(messageOf(error)));
      if ("kind" in checked) return checked;
      if (!checked.verified) return failed("its signature is not right");
      const { credential: made, credentialBackedUp } = checked.registrationInfo;
      const passkey: PasskeyRow = {
        id: made.id,
        user_id: userId,
        label: storedText(label.trim(), MAX_LABEL) || "Passkey",
        public_key: Buffer.from(made.publicKey).toString("base64url"),
        counter: made.counter,
        transports: JSON.stringify(credential.response.transports ?? []),
        backed_up: credentialBackedUp ? 1 : 0,
        created_at: clock.now(),
        last_used_at: null,
      };
      try {
        await insertPasskey(storage, passkey);
      } catch (error) {
        if (isRefusedData(error)) return failed(error instanceof RangeError ? error.message : "it is in use already");
        throw error;
      }
      log.info({ event: "passkey_added", user_id: userId }, "a passkey was added");
      return { kind: "right", passkey };
    },
    optionsToSignIn: async (browserSecret) =>
      await generateAuthenticationOptions({
        rpID: rpId(),
        challenge: await begin("passkey_sign_in", browserSecret, null),
        timeout: FLOW_MS,
        userVerification: "required",
      }),
    signIn: async (browserSecret, reply) => {
      const parsed = assertion.safeParse(reply);
      if (!parsed.success) return failed("the reply has not the form of a passkey");
      const { credential } = parsed.data;
      const passkey = await findPasskey(storage, credential.id);
      if (passkey === undefined) return failed("it is not known here");
      const checked = await verifyAuthenticationResponse({
        // The schema has checked every field that the library reads.
        response: credential as unknown as AuthenticationResponseJSON,
        expectedChallenge: take("passkey_sign_in", browserSecret),
        expectedOrigin: publicUrl(),
        expectedRPID: rpId(),
        credential: {
          id: passkey.id,
          publicKey: new Uint8Array(Buffer.from(passkey.public_key, "base64url")),
          // Checked below: the library's own check would let a counter that stands still pass as one that isn't kept.
          counter: 0,
        },
        requireUserVerification: true,
      }).catch((error: unknown) => failed(messageOf(error)));
      if ("kind" in checked) return checked;
      if (!checked.verified) return failed("its signature is not right");
      const { userHandle } = credential.response;
      if (userHandle !== undefined && Buffer.from(userHandle, "base64url").toString("utf8") !== passkey.user_id)
        return failed("it names another user");
      const { newCounter } = checked.authenticationInfo;
      // WebAuthn section 6.1.1: a counter that does not grow tells of a copied authenticator; one that stays 0 isn't kept.
      const copied = (passkey.counter > 0 || newCounter > 0) && newCounter <= passkey.counter;
      if (copied) return failed("its counter went back, as a copy's would");
      const noted = await notePasskeyUse(storage, {
        id: passkey.id,
        previousCounter: passkey.counter,
        counter: newCounter,
        at: clock.now(),
      });
      return noted ? { kind: "right", userId: passkey.user_id } : failed("it was used twice at once");
    },
    list: (userId) => listPasskeys(storage, userId),
    remove: async (userId, id) => {
      const removed = await deletePasskey(storage, userId, id);
      if (removed) log.info({ event: "passkey_removed", user_id: userId }, "a passkey was removed");
      return removed;
    },
  };
}

function parseTransports(stored: string): string[] {
  return z.array(z.string()).parse(JSON.parse(stored));
}
