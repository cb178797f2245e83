import { constants, createPublicKey, generateKeyPairSync, publicEncrypt } from "node:crypto";

import { describe, expect, it } from "vitest";

import { dhParametersPem, standardPrime } from "./diffie-hellman.ts";
import { makePrivateKeyPem, normalizePem, privateKeyFault, publicKeyPem, readPrivateKey, tokenSecretFault } from "./oauth-keys.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pkcs1 = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
const encrypt = (key = publicKey, text = "secret of the token") =>
  publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text)).toString("base64");

describe("a made key", () => {
  it("is RSA of 2048 bits, and its public half what IBKR's page takes", async () => {
    const pem = await makePrivateKeyPem();
    expect(readPrivateKey(pem)?.asymmetricKeyDetails?.modulusLength).toBe(2048);
    const shown = publicKeyPem(pem) ?? "";
    expect(shown).toMatch(/^-----BEGIN PUBLIC KEY-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END PUBLIC KEY-----\n$/);
    expect(createPublicKey(shown).equals(createPublicKey(pem))).toBe(true);
    expect(await makePrivateKeyPem()).not.toBe(pem);
  });
});

describe("a pasted private key", () => {
  it.each([
    ["PKCS#1", pkcs1],
    ["PKCS#8", pkcs8],
    ["with CRLF", pkcs1.replaceAll("\n", "\r\n")],
    ["with old Mac line ends", pkcs8.replaceAll("\n", "\r")],
    ["with blanks around", `  ${pkcs8.replaceAll("\n", "  \n ")}\n\n`],
    ["without the last line end", pkcs8.trim()],
  ])("may be %s", (_form, text) => {
    const pem = normalizePem(text);
    expect(pem).not.toContain("\r");
    expect(privateKeyFault(pem, "private_signature.pem")).toBeUndefined();
    expect(publicKeyPem(pem)).toBe(publicKeyPem(pkcs8));
  });

  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const sec1 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "sec1", format: "pem" }).toString();
  const locked = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }).toString();
  const lockedOld = privateKey.export({ type: "pkcs1", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }).toString();
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  it.each([
    ["a public key", publicKey.export({ type: "spki", format: "pem" }).toString(), /public key; a private one/, /private key file/],
    ["an old public key", publicKey.export({ type: "pkcs1", format: "pem" }).toString(), /public key/, /private key file/],
    ["a certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", /certificate/, /private key file/],
    ["dhparam.pem", dhParametersPem(standardPrime()), /Diffie-Hellman/, /private key file/],
    ["a locked key", locked, /locked by a password/, /openssl pkey/],
    ["an old locked key", lockedOld, /locked by a password/, /openssl pkey/],
    ["a key of OpenSSH", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----", /OpenSSH/, /ssh-keygen/],
    ["an EC key", ec, /another kind \(ec\); IBKR takes RSA/, /openssl genrsa/],
    ["an old EC key", sec1, /another kind \(ec\)/, /openssl genrsa/],
    ["a small key", small, /1024 bits; IBKR takes 2048/, /openssl genrsa/],
    ["half a key", pkcs8.slice(0, 900), /damaged/, /end of its last line/],
    ["a word", "hello", /not a private key in PEM form/, /private key file/],
  ])("is named for what it is: %s", (_what, text, message, whatToDo) => {
    const fault = privateKeyFault(normalizePem(text), "private_signature.pem");
    expect(fault?.message).toMatch(message);
    expect(fault?.whatToDo).toMatch(whatToDo);
    // Nothing of a key may travel with a message.
    expect(JSON.stringify(fault)).not.toMatch(/[A-Za-z0-9+/]{30}/);
  });
});

describe("an access token secret", () => {
  it("is one that decrypts with the encryption key", () => {
    expect(tokenSecretFault(encrypt(), pkcs8)).toBeUndefined();
    expect(tokenSecretFault(encrypt(), undefined)).toBeUndefined();
    // What is wrong with the key itself is told with the key.
    expect(tokenSecretFault(encrypt(), "no key")).toBeUndefined();
  });

  it.each([
    ["encrypted for another key", encrypt(other.publicKey), /another encryption key/, /public_encryption\.pem/],
    ["of another alphabet", encrypt().replace(/^./, "-"), /not base64: it holds "-"/, /Copy it/],
    ["with a foreign character", `${encrypt().slice(0, 10)}*${encrypt().slice(11)}`, /the character "\*"/, /Copy it/],
    ["cut", encrypt().slice(0, -7), /not whole/, /Copy it/],
    ["the token instead", "0123456789abcdef01234567", /18 bytes/, /access token itself/],
  ])("is named for what it is: %s", (_what, secret, message, whatToDo) => {
    const fault = tokenSecretFault(secret, pkcs8);
    expect(fault?.message).toMatch(message);
    expect(fault?.whatToDo).toMatch(whatToDo);
  });
});
