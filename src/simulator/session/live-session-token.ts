import { createHmac } from "node:crypto";

/** The generator of every Diffie-Hellman group that IBKR accepts. */
export const DIFFIE_HELLMAN_GENERATOR = 2n;

/**
 * Makes a Live Session Token: HMAC-SHA1 of the decrypted access token secret under the Diffie-Hellman shared secret.
 * The key is written as Java's `BigInteger.toByteArray` does it: big-endian, with a sign byte 00 before a set top bit.
 */
export function deriveLiveSessionToken(sharedSecret: bigint, accessTokenSecret: Uint8Array): Buffer {
  return createHmac("sha1", signedBytes(sharedSecret)).update(accessTokenSecret).digest();
}

/** What the client compares its own token with: lower-case hex of HMAC-SHA1 of the consumer key under the token. */
export function signLiveSessionToken(token: Uint8Array, consumerKey: string): string {
  return createHmac("sha1", token).update(consumerKey, "utf8").digest("hex");
}

/** `base` to the power of `exponent`, modulo `modulus`; all three positive. */
export function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function signedBytes(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}
