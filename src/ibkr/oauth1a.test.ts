import { constants, createPrivateKey, createPublicKey, createSecretKey, generateKeyPairSync, publicEncrypt, verify } from "node:crypto";
import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";
import { z } from "zod";

import { Secret } from "../lib/secret.ts";
import { authorizationFor, baseString, beginLiveSessionToken, prepareConsumer } from "./oauth1a.ts";

const lstCase = z.object({
  a: z.string(),
  diffie_hellman_challenge: z.string(),
  diffie_hellman_response: z.string(),
  live_session_token: z.string(),
  live_session_token_signature: z.string(),
});

const vectors = z
  .object({
    dh_prime: z.string(),
    prepend_hex: z.string(),
    consumer_key: z.string(),
    lst_cases: z.record(z.string(), lstCase),
    hmac_request: z.object({
      method: z.string(),
      url: z.string(),
      live_session_token: z.string(),
      params: z.record(z.string(), z.string()),
      base_string: z.string(),
      authorization_header: z.string(),
    }),
  })
  .parse(JSON.parse(readFileSync(new URL("oauth-vectors.json", import.meta.url), "utf8")));
const signing = generateKeyPairSync("rsa", { modulusLength: 2048 });
const encryption = generateKeyPairSync("rsa", { modulusLength: 2048 });
const tokenSecret = publicEncrypt(
  { key: encryption.publicKey, padding: constants.RSA_PKCS1_PADDING },
  Buffer.from(vectors.prepend_hex, "hex"),
).toString("base64");

function credentials(format: "pkcs1" | "pkcs8" = "pkcs8") {
  return {
    consumerKey: vectors.consumer_key,
    accessToken: "0123456789abcdef0123",
    accessTokenSecret: new Secret(tokenSecret),
    dhPrime: vectors.dh_prime,
    privateSignaturePem: new Secret(signing.privateKey.export({ type: format, format: "pem" }).toString()),
    privateEncryptionPem: new Secret(encryption.privateKey.export({ type: format, format: "pem" }).toString()),
  };
}

const URL_LST = "https://api.ibkr.com/v1/api/oauth/live_session_token";
const stamp = { timestampSeconds: 1795446000, nonce: "aB3dE5fG7hJ9kL1m" };

describe("Live Session Token", () => {
  it.each(Object.entries(vectors.lst_cases))("is derived as IBKR does: %s", (_name, vector) => {
    const consumer = prepareConsumer(credentials());
    const exchange = beginLiveSessionToken(consumer, URL_LST, { stamp, exponent: BigInt(`0x${vector.a}`) });
    expect(exchange.authorization).toContain(`diffie_hellman_challenge="${vector.diffie_hellman_challenge}"`);
    const token = exchange.complete(vector.diffie_hellman_response, vector.live_session_token_signature);
    expect(token.export().toString("base64")).toBe(vector.live_session_token);
  });

  it("is refused when IBKR's proof does not fit", () => {
    const [vector] = Object.values(vectors.lst_cases);
    const exchange = beginLiveSessionToken(prepareConsumer(credentials()), URL_LST, { stamp, exponent: BigInt(`0x${vector?.a}`) });
    expect(() => exchange.complete(vector?.diffie_hellman_response ?? "", "00".repeat(20))).toThrow(/cannot be trusted/);
    expect(() => exchange.complete("<html>", "")).toThrow(/not hexadecimal/);
  });

  it("request is signed with RSA-SHA256 over the decrypted secret, the method, the URL and the parameters", () => {
    const exponent = 5n;
    const { authorization } = beginLiveSessionToken(prepareConsumer(credentials("pkcs1")), URL_LST, { stamp, exponent });
    const signature = Buffer.from(decodeURIComponent(/oauth_signature="([^"]+)"/.exec(authorization)?.[1] ?? ""), "base64");
    const parameters = {
      diffie_hellman_challenge: "20",
      oauth_consumer_key: vectors.consumer_key,
      oauth_nonce: stamp.nonce,
      oauth_signature_method: "RSA-SHA256",
      oauth_timestamp: String(stamp.timestampSeconds),
      oauth_token: "0123456789abcdef0123",
    };
    const base = vectors.prepend_hex + baseString({ method: "POST", url: URL_LST }, parameters);
    const publicKey = createPublicKey(createPrivateKey(signing.privateKey.export({ type: "pkcs8", format: "pem" })));
    expect(verify("sha256", Buffer.from(base), publicKey, signature)).toBe(true);
    expect(authorization).toMatch(/^OAuth realm="limited_poa", /);
  });
});

describe("request signature", () => {
  it("fits the fixed vector to the letter", () => {
    const { hmac_request: vector } = vectors;
    expect(baseString(vector, vector.params)).toBe(vector.base_string);
    const token = createSecretKey(Buffer.from(vector.live_session_token, "base64"));
    const header = authorizationFor(prepareConsumer(credentials()), token, { method: vector.method, url: vector.url, stamp });
    expect(header).toBe(vector.authorization_header);
  });
});

describe("credentials", () => {
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();

  it.each([
    ["private signature key", { privateSignaturePem: new Secret("-----BEGIN") }],
    ["private encryption key", { privateEncryptionPem: new Secret("") }],
    ["access token secret", { accessTokenSecret: new Secret("AAAA") }],
    ["access token secret", { privateEncryptionPem: new Secret(other) }],
    ["Diffie-Hellman prime", { dhPrime: "not hex" }],
  ])("are refused in words that name the %s", (what, wrong) => {
    expect(() => prepareConsumer({ ...credentials(), ...wrong })).toThrow(what);
  });

  it.each([
    // A foreign ciphertext is now and then a larger number than this key's modulus, which OpenSSL refuses.
    ["a number above the key's modulus", Buffer.alloc(256, 0xff), "not encrypted to this private encryption key"],
    ["a number that decrypts to no padding", Buffer.alloc(256, 0), "not encrypted to this private encryption key"],
    ["255 bytes", Buffer.alloc(255, 0xff), "not an RSA ciphertext of the encryption key's size"],
    ["257 bytes", Buffer.alloc(257, 0), "not an RSA ciphertext of the encryption key's size"],
  ])("tell of an access token secret that is %s why it is wrong", (_what, bytes, why) => {
    const accessTokenSecret = new Secret(bytes.toString("base64"));
    expect(() => prepareConsumer({ ...credentials(), accessTokenSecret })).toThrow(why);
  });

  it("take a prime as OpenSSL prints it", () => {
    const printed = (vectors.dh_prime.match(/../g) ?? []).join(":");
    expect(prepareConsumer({ ...credentials(), dhPrime: `00:${printed}\n` }).prime).toBe(BigInt(`0x${vectors.dh_prime}`));
  });

  it("use the test realm for the test consumer", () => {
    expect(prepareConsumer({ ...credentials(), consumerKey: "TESTCONS" }).realm).toBe("test_realm");
  });
});
