import {
  constants,
  createHmac,
  createPrivateKey,
  createSecretKey,
  privateDecrypt,
  sign,
  timingSafeEqual,
  type KeyObject,
} from "node:crypto";

import { GatewayError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";

/** What a user gets from IBKR's OAuth self-service page. PEMs may be PKCS#1 or PKCS#8. */
export interface OAuthCredentials {
  readonly consumerKey: string;
  readonly accessToken: string;
  /** Base64 of the secret, encrypted to our encryption key. */
  readonly accessTokenSecret: Secret;
  /** The Diffie-Hellman prime in hex; the generator is always 2. */
  readonly dhPrime: string;
  readonly privateSignaturePem: Secret;
  readonly privateEncryptionPem: Secret;
}

/** Credentials made ready for use: keys parsed, the access token secret decrypted. Holds secrets in key objects only. */
export interface Consumer {
  readonly consumerKey: string;
  readonly accessToken: string;
  readonly realm: string;
  readonly prime: bigint;
  readonly signatureKey: KeyObject;
  /** The decrypted access token secret. */
  readonly tokenSecret: KeyObject;
}

/** The key that signs every request of about a day. */
export interface LiveSessionToken {
  readonly key: KeyObject;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** What makes a signature unique: epoch seconds and a nonce. */
export interface Stamp {
  readonly timestampSeconds: number;
  readonly nonce: string;
}

/** A request as it is signed. `url` is scheme, host and path: the query is left out of the signature. */
export interface SignedTarget {
  readonly method: string;
  readonly url: string;
}

/** Reads a user's credentials. Throws `connection_not_ready` that names the part which is wrong, never its content. */
export function prepareConsumer(credentials: OAuthCredentials): Consumer {
  const signatureKey = readPem(credentials.privateSignaturePem, "private signature key");
  const encryptionKey = readPem(credentials.privateEncryptionPem, "private encryption key");
  const primeHex = credentials.dhPrime.replaceAll(/[\s:]/g, "");
  if (!/^(?:0x)?[0-9a-f]{64,}$/i.test(primeHex)) throw badCredential("Diffie-Hellman prime", "it is not hexadecimal");
  return {
    consumerKey: credentials.consumerKey,
    accessToken: credentials.accessToken,
    realm: credentials.consumerKey === "TESTCONS" ? "test_realm" : "limited_poa",
    prime: BigInt(`0x${primeHex.replace(/^0x/i, "")}`),
    signatureKey,
    tokenSecret: createSecretKey(decryptTokenSecret(credentials.accessTokenSecret, encryptionKey)),
  };
}

/** A Live Session Token request under way: the header to send, and what to do with IBKR's answer. */
export interface LiveSessionTokenExchange {
  readonly authorization: string;
  /** IBKR's `diffie_hellman_response` and `live_session_token_signature`, in hex. Throws `connection_not_ready` when the proof doesn't fit. */
  complete(response: string, proof: string): KeyObject;
}

/** Begins an exchange. `exponent` is a random 256-bit number, used once. Source: IBKR OAuth 1.0a, `POST /oauth/live_session_token`. */
export function beginLiveSessionToken(
  consumer: Consumer,
  url: string,
  random: { stamp: Stamp; exponent: bigint },
): LiveSessionTokenExchange {
  const parameters = {
    ...commonParameters(consumer, random.stamp, "RSA-SHA256"),
    diffie_hellman_challenge: modularPower(2n, random.exponent, consumer.prime).toString(16),
  };
  const base = consumer.tokenSecret.export().toString("hex") + baseString({ method: "POST", url }, parameters);
  const signature = sign("sha256", Buffer.from(base), { key: consumer.signatureKey, padding: constants.RSA_PKCS1_PADDING });
  return {
    authorization: authorizationHeader(consumer.realm, parameters, signature.toString("base64")),
    complete: (response, proof) => {
      if (!/^[0-9a-f]+$/i.test(response)) throw badExchange("its Diffie-Hellman answer is not hexadecimal");
      const shared = modularPower(BigInt(`0x${response}`), random.exponent, consumer.prime);
      const token = deriveLiveSessionToken(shared, consumer.tokenSecret);
      const expected = createHmac("sha1", token).update(consumer.consumerKey).digest();
      const given = Buffer.from(proof, "hex");
      if (given.length !== expected.length || !timingSafeEqual(given, expected))
        throw badExchange("its proof does not fit our credentials");
      return token;
    },
  };
}

/** The `Authorization` header of an ordinary request, signed with the Live Session Token (HMAC-SHA256). */
export function authorizationFor(consumer: Consumer, token: KeyObject, request: SignedTarget & { readonly stamp: Stamp }): string {
  const parameters = commonParameters(consumer, request.stamp, "HMAC-SHA256");
  const signature = createHmac("sha256", token).update(baseString(request, parameters)).digest("base64");
  return authorizationHeader(consumer.realm, parameters, signature);
}

/** The text that is signed: method, URL without query, and the sorted parameters, each percent-encoded. */
export function baseString(target: SignedTarget, parameters: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(parameters).toSorted(byKey);
  const joined = sorted.map(([key, value]) => `${key}=${value}`).join("&");
  return `${target.method}&${encodeURIComponent(target.url)}&${encodeURIComponent(joined)}`;
}

/**
 * Derives the Live Session Token from the shared Diffie-Hellman number. Its bytes are those of Java's `BigInteger.toByteArray`:
 * even length, and one zero byte in front when the first bit is set.
 */
function deriveLiveSessionToken(shared: bigint, tokenSecret: KeyObject): KeyObject {
  const hex = shared.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  const signed = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
  return createSecretKey(createHmac("sha1", signed).update(tokenSecret.export()).digest());
}

/** A stamp for a request signed at `now` (epoch ms). */
export function stampAt(now: number, random: Random): Stamp {
  return { timestampSeconds: Math.floor(now / 1000), nonce: random.bytes(16).toString("hex") };
}

function commonParameters(consumer: Consumer, stamp: Stamp, method: string): Record<string, string> {
  return {
    oauth_consumer_key: consumer.consumerKey,
    oauth_nonce: stamp.nonce,
    oauth_signature_method: method,
    oauth_timestamp: String(stamp.timestampSeconds),
    oauth_token: consumer.accessToken,
  };
}

function authorizationHeader(realm: string, parameters: Readonly<Record<string, string>>, signature: string): string {
  const sorted = Object.entries({ ...parameters, oauth_signature: encodeURIComponent(signature) }).toSorted(byKey);
  return `OAuth realm="${realm}", ${sorted.map(([key, value]) => `${key}="${value}"`).join(", ")}`;
}

function byKey([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}

function modularPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function readPem(pem: Secret, what: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem.reveal().trim());
  } catch {
    // The cause is left out: OpenSSL's text is no help, and nothing of the key may travel with the error.
    throw badCredential(what, "it is not a private key in PEM form");
  }
  if (key.asymmetricKeyType !== "rsa") throw badCredential(what, "it is not an RSA key");
  return key;
}

/** Node refuses PKCS#1 v1.5 private decryption, so the padding (`00 02`, random bytes, `00`) is taken off here. */
function decryptTokenSecret(secret: Secret, key: KeyObject): Buffer {
  const what = "access token secret";
  const cipher = Buffer.from(secret.reveal().trim(), "base64");
  const keyBytes = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (cipher.length !== keyBytes) throw badCredential(what, "it is not an RSA ciphertext of the encryption key's size");
  const padded = decryptRaw(cipher, key);
  const end = padded?.indexOf(0, 2) ?? -1;
  if (padded?.[0] !== 0 || padded[1] !== 2 || end < 10) throw badCredential(what, "it was not encrypted to this private encryption key");
  return padded.subarray(end + 1);
}

/** Returns the block with its padding; undefined for a number above the key's modulus, which no encryption to this key yields. */
function decryptRaw(cipher: Buffer, key: KeyObject): Buffer | undefined {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, cipher);
  } catch {
    return undefined;
  }
}

function badCredential(what: string, why: string): GatewayError {
  return new GatewayError("connection_not_ready", `The connection's ${what} cannot be used: ${why}.`, {
    whatToDo: `Enter the ${what} of this connection again, exactly as IBKR's OAuth page and your key files have it.`,
  });
}

function badExchange(why: string): GatewayError {
  return new GatewayError("connection_not_ready", `IBKR's answer to the login cannot be trusted: ${why}.`, {
    whatToDo: "Check that consumer key, access token, its secret and the Diffie-Hellman prime belong together.",
  });
}
