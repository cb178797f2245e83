import { checkPrimeSync, getDiffieHellman } from "node:crypto";

/** The parameters that both sides of a Diffie-Hellman exchange know: public, but they have to be the same. */
export interface DhParameters {
  /** Lower-case hex. */
  readonly primeHex: string;
  readonly generator: number;
}

/** IBKR asks for parameters of 2048 bits with generator 2. */
const PRIME_BITS = 2048;
const GENERATOR = 2;
const INTEGER = 0x02;
const SEQUENCE = 0x30;
const LINE_LENGTH = 64;
/** The chance that a number that is none passes for a prime is below 2^-64. */
const PRIME_CHECKS = 32;

/** The prime of the 2048-bit group of RFC 3526 (group 14), a safe prime of which 2 is a generator, in hex. */
export function standardPrime(): string {
  return getDiffieHellman("modp14").getPrime("hex");
}

/** Writes `dhparam.pem`: PKCS#3 `DHParameter` with generator 2, in DER, in PEM with LF line ends. */
export function dhParametersPem(primeHex: string): string {
  const der = element(SEQUENCE, Buffer.concat([integer(Buffer.from(primeHex, "hex")), integer(Buffer.from([GENERATOR]))]));
  const lines = der.toString("base64").match(new RegExp(`.{1,${LINE_LENGTH}}`, "g")) ?? [];
  return ["-----BEGIN DH PARAMETERS-----", ...lines, "-----END DH PARAMETERS-----", ""].join("\n");
}

/** Reads `dhparam.pem`; undefined when it isn't one. */
export function readDhParametersPem(pem: string): DhParameters | undefined {
  const body = /-----BEGIN DH PARAMETERS-----([A-Za-z0-9+/=\s]+)-----END DH PARAMETERS-----/.exec(pem)?.[1];
  if (body === undefined) return undefined;
  const outer = readElement(Buffer.from(body, "base64"), SEQUENCE);
  const prime = outer === undefined ? undefined : readElement(outer.content, INTEGER);
  const generator = prime === undefined ? undefined : readElement(prime.rest, INTEGER);
  if (prime === undefined || generator === undefined || generator.content.length > 4) return undefined;
  return { primeHex: plainHex(prime.content.toString("hex")), generator: Number.parseInt(generator.content.toString("hex"), 16) };
}

/** Writes a prime as lower-case hex from a pasted `dhparam.pem` or from hex as OpenSSL prints it; any other text as it is. */
export function normalizePrime(text: string): string {
  const parameters = readDhParametersPem(text);
  if (parameters !== undefined && parameters.generator === GENERATOR) return parameters.primeHex;
  const hex = text.replace(/^\s*0x/i, "").replaceAll(/[\s:]/g, "");
  return /^[0-9a-f]+$/i.test(hex) ? plainHex(hex) : text;
}

/** What is wrong with a prime as `normalizePrime` gives it, and the cure; undefined when nothing is. */
export function primeFault(text: string): { readonly message: string; readonly whatToDo: string } | undefined {
  const paste = "Paste the whole file dhparam.pem that you uploaded to IBKR, or its prime in hex.";
  if (/PRIVATE KEY/.test(text)) return { message: "This is a private key, not the Diffie-Hellman prime.", whatToDo: paste };
  if (/PUBLIC KEY/.test(text)) return { message: "This is a public key, not the Diffie-Hellman prime.", whatToDo: paste };
  const generator = readDhParametersPem(text)?.generator;
  if (generator !== undefined)
    return {
      message: `These Diffie-Hellman parameters have the generator ${generator}; IBKR uses ${GENERATOR}.`,
      whatToDo: "Make new ones with `openssl dhparam -2 -out dhparam.pem 2048`, upload them to IBKR and paste them here.",
    };
  if (/-----BEGIN/.test(text))
    return { message: "This is not a file of Diffie-Hellman parameters, or a part of it is missing.", whatToDo: paste };
  if (!/^[0-9a-f]+$/.test(text)) return { message: "This is not hexadecimal.", whatToDo: paste };
  const bits = BigInt(`0x${text}`).toString(2).length;
  if (bits !== PRIME_BITS)
    return { message: `This prime has ${bits} bits; IBKR wants ${PRIME_BITS}.`, whatToDo: `${paste} Check that no digit is missing.` };
  if (!checkPrimeSync(BigInt(`0x${text}`), { checks: PRIME_CHECKS }))
    return { message: "This number is not a prime.", whatToDo: `${paste} Check that every digit is right.` };
  return undefined;
}

/** A DER integer: a zero in front where the first bit would make it negative. */
function integer(magnitude: Buffer): Buffer {
  const isNegative = (magnitude[0] ?? 0) >= 0x80;
  return element(INTEGER, isNegative ? Buffer.concat([Buffer.alloc(1), magnitude]) : magnitude);
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

/** The first element of some DER, when it has this tag, and what follows it. */
function readElement(der: Buffer, tag: number): { readonly content: Buffer; readonly rest: Buffer } | undefined {
  const first = der[1] ?? 0xff;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (der[0] !== tag || lengthBytes > 2) return undefined;
  const start = 2 + lengthBytes;
  if (der.length < start) return undefined;
  const length = lengthBytes === 0 ? first : der.readUIntBE(2, lengthBytes);
  return der.length < start + length ? undefined : { content: der.subarray(start, start + length), rest: der.subarray(start + length) };
}

function plainHex(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, "");
}
