import { execFileSync } from "node:child_process";
import { checkPrimeSync } from "node:crypto";

import { describe, expect, it } from "vitest";

import { dhParametersPem, normalizePrime, primeFault, readDhParametersPem, standardPrime } from "./diffie-hellman.ts";

const prime = standardPrime();

/** What `openssl` says of a file; undefined where there is no openssl. */
function openssl(args: readonly string[], input: string): string | undefined {
  try {
    return execFileSync("openssl", args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

const hasOpenssl = openssl(["version"], "") !== undefined;

describe("the standard group", () => {
  it("is the 2048-bit safe prime of RFC 3526, of which 2 is a generator", () => {
    const p = BigInt(`0x${prime}`);
    expect(prime).toMatch(/^ffffffffffffffffc90fdaa22168c234[0-9a-f]{464}ffffffffffffffff$/);
    expect(checkPrimeSync(p) && checkPrimeSync((p - 1n) / 2n)).toBe(true);
    // 2 is a square modulo p, so that it generates the subgroup of prime order.
    expect(p % 8n).toBe(7n);
    expect(primeFault(prime)).toBeUndefined();
  });
});

describe("dhparam.pem", () => {
  it("is read back, with LF line ends of 64 characters", () => {
    const pem = dhParametersPem(prime);
    expect(readDhParametersPem(pem)).toEqual({ primeHex: prime, generator: 2 });
    const lines = pem.split("\n");
    expect(lines.slice(1, -3).every((line) => line.length === 64)).toBe(true);
    expect([lines[0], lines.at(-2), lines.at(-1)]).toEqual(["-----BEGIN DH PARAMETERS-----", "-----END DH PARAMETERS-----", ""]);
    expect(pem).not.toContain("\r");
    // SEQUENCE of 264 bytes: INTEGER of 257 (a zero in front), INTEGER 2. RFC 5652's DER, by hand.
    const der = Buffer.from(lines.slice(1, -2).join(""), "base64");
    expect(der.toString("hex")).toBe(`308201080282010100${prime}020102`);
  });

  it.runIf(hasOpenssl)("is what openssl takes for the same group, and openssl's own is read", () => {
    const pem = dhParametersPem(prime);
    const text = openssl(["dhparam", "-text", "-noout"], pem) ?? "";
    expect(text).toContain("DH Parameters: (2048 bit)");
    expect(openssl(["dhparam", "-check", "-noout"], pem)).toBeDefined();
    expect(openssl(["dhparam"], pem)).toBe(pem);
    const small = openssl(["dhparam", "-2", "512"], "") ?? "";
    const read = readDhParametersPem(small);
    expect(read?.generator).toBe(2);
    expect(dhParametersPem(read?.primeHex ?? "")).toBe(small);
  });
});

describe("a pasted prime", () => {
  const colons = `00:${(prime.match(/../g) ?? []).join(":")}`;
  it.each([
    ["dhparam.pem", dhParametersPem(prime)],
    ["dhparam.pem with CRLF", dhParametersPem(prime).replaceAll("\n", "\r\n")],
    ["hex in upper case", prime.toUpperCase()],
    ["hex as openssl prints it", colons.replaceAll(/(.{45})/g, "$1\n    ")],
    ["hex with 0x", `0x${prime}`],
    ["hex with blanks", ` ${prime.slice(0, 100)} ${prime.slice(100)}\r\n`],
  ])("is understood as %s", (_form, text) => expect(normalizePrime(text)).toBe(prime));

  it.each([
    ["a word", "x", "not hexadecimal"],
    ["too short", prime.slice(2), "2040 bits"],
    ["a number with a wrong digit", `${prime.slice(0, -1)}d`, "not a prime"],
    ["a private key", "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----", "private key"],
    ["a public key", "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----", "public key"],
    ["half a file", "-----BEGIN DH PARAMETERS-----\nMIIB\n-----END DH PARAMETERS-----", "part of it is missing"],
    [
      "another file",
      "-----BEGIN X9.42 DH PARAMETERS-----\nMIIB\n-----END X9.42 DH PARAMETERS-----",
      "not a file of Diffie-Hellman parameters",
    ],
    ["another generator", dhParametersPem(prime).replace("wIBAg==", "wIBBQ=="), "generator 5"],
  ])("is named for what it is: %s", (_what, text, fault) => {
    expect(primeFault(normalizePrime(text))?.message).toContain(fault);
    expect(primeFault(normalizePrime(text))?.whatToDo).toMatch(/dhparam\.pem/);
  });
});
