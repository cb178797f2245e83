import { constants, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, privateDecrypt } from "node:crypto";
import { promisify } from "node:util";

const makeKeyPair = promisify(generateKeyPair);
/** IBKR's self-service page takes RSA keys of this size. */
const KEY_BITS = 2048;

/** What is wrong with what was entered, and the cure. */
export interface KeyFault {
  readonly message: string;
  readonly whatToDo: string;
}

/** Makes an RSA key of 2048 bits: PKCS#8 in PEM. */
export async function makePrivateKeyPem(): Promise<string> {
  const { privateKey } = await makeKeyPair("rsa", { modulusLength: KEY_BITS });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The public half of a private key, as IBKR's page takes it: PEM with LF line ends. Undefined when it is no private key. */
export function publicKeyPem(privatePem: string): string | undefined {
  const key = readPrivateKey(privatePem);
  return key === undefined ? undefined : createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
}

/** Reads a private key, PKCS#1 or PKCS#8 in PEM; undefined when it is none, or locked by a password. */
export function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** Writes a pasted key's line ends as LF, without blanks around its lines. */
export function normalizePem(text: string): string {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  return `${lines.filter((line) => line !== "").join("\n")}\n`;
}

/** What is wrong with a private key for IBKR; undefined when nothing is. `file` is the name that people know it by. */
export function privateKeyFault(pem: string, file: string): KeyFault | undefined {
  const paste = `Paste the whole private key file (${file}), from "-----BEGIN" to the end of its last line.`;
  if (/-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem))
    return { message: "This is a public key; a private one belongs here.", whatToDo: paste };
  if (/-----BEGIN CERTIFICATE/.test(pem)) return { message: "This is a certificate; a private key belongs here.", whatToDo: paste };
  if (/-----BEGIN DH PARAMETERS-----/.test(pem))
    return { message: "These are Diffie-Hellman parameters; a private key belongs here.", whatToDo: paste };
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem))
    return {
      message: "This private key is locked by a password.",
      whatToDo: `Take the password off with \`openssl pkey -in ${file} -out unlocked.pem\`, and paste the file unlocked.pem. It is sealed before it is stored here.`,
    };
  if (/-----BEGIN OPENSSH PRIVATE KEY-----/.test(pem))
    return {
      message: "This is a key in OpenSSH's own form.",
      whatToDo: `Convert it with \`ssh-keygen -p -m PEM -f ${file}\`, or let this page make new keys.`,
    };
  const key = readPrivateKey(pem);
  if (key === undefined)
    return /-----BEGIN (?:RSA )?PRIVATE KEY-----/.test(pem)
      ? { message: "This private key is damaged: a part of it is missing or changed.", whatToDo: paste }
      : { message: "This is not a private key in PEM form.", whatToDo: paste };
  if (key.asymmetricKeyType !== "rsa")
    return {
      message: `This is a private key of another kind (${key.asymmetricKeyType ?? "unknown"}); IBKR takes RSA keys only.`,
      whatToDo: "Let this page make new keys, or make one with `openssl genrsa -out private.pem 2048`, and upload its public half to IBKR.",
    };
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  return bits === KEY_BITS
    ? undefined
    : {
        message: `This RSA key has ${bits} bits; IBKR takes ${KEY_BITS}.`,
        whatToDo: `Let this page make new keys, or make one with \`openssl genrsa -out private.pem ${KEY_BITS}\`, and upload its public half to IBKR.`,
      };
}

/** What is wrong with an access token secret, as far as can be told with the encryption key, where that is known. */
export function tokenSecretFault(secret: string, encryptionPem: string | undefined): KeyFault | undefined {
  const copy = "Copy it from IBKR's page again. It is shown once only; generate a new token and secret where it is gone.";
  const stray = /[^A-Za-z0-9+/=]/.exec(secret)?.[0];
  if (stray !== undefined) {
    const what =
      stray === "-" || stray === "_" ? `"${stray}", which stands in another kind of base64 than IBKR's` : `the character "${stray}"`;
    return { message: `This is not base64: it holds ${what}.`, whatToDo: copy };
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(secret) || secret.length % 4 !== 0)
    return { message: "This is not whole: base64 has four characters for every three bytes, and some are missing here.", whatToDo: copy };
  const bytes = Buffer.from(secret, "base64");
  if (bytes.length !== KEY_BITS / 8)
    return {
      message: `This holds ${bytes.length} bytes; IBKR's secret, encrypted for a key of ${KEY_BITS} bits, has ${KEY_BITS / 8}.`,
      whatToDo: `${copy} Check that it isn't the access token itself.`,
    };
  const key = encryptionPem === undefined ? undefined : readPrivateKey(encryptionPem);
  if (key === undefined || key.asymmetricKeyType !== "rsa" || isDecrypted(bytes, key)) return undefined;
  return {
    message: "This secret was made for another encryption key.",
    whatToDo:
      "Check that public_encryption.pem of this very set-up is the one at IBKR. If another one is, upload this one and generate a new access token; or paste the private encryption key that belongs to the one at IBKR.",
  };
}

/** True when a text was encrypted for this key: PKCS#1 v1.5 padding comes out. node refuses to take it off itself. */
function isDecrypted(bytes: Buffer, key: KeyObject): boolean {
  try {
    const padded = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, bytes);
    return padded[0] === 0 && padded[1] === 2 && padded.indexOf(0, 2) >= 10;
  } catch {
    // Numbers above the key's modulus were not made for it.
    return false;
  }
}
