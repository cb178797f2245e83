import { constants, createPrivateKey, createPublicKey, generateKeyPair, privateDecrypt, publicEncrypt } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { promisify } from "node:util";

import type { Random } from "../../lib/random.ts";

/** What IBKR's self-service page leaves a user with: everything that an OAuth 1.0a client needs to sign in. */
export interface SimulatorCredentials {
  /** Nine letters A–Z. */
  readonly consumerKey: string;
  readonly accessToken: string;
  /** Base64 of the secret, RSA-PKCS1v1.5-encrypted to the encryption key. */
  readonly accessTokenSecret: string;
  /** Diffie-Hellman prime in lower-case hex; the generator is 2. */
  readonly dhPrime: string;
  readonly privateSignaturePem: string;
  readonly privateEncryptionPem: string;
}

/** IBKR's side of a consumer: what it checks requests with. */
export interface Consumer {
  readonly consumerKey: string;
  readonly accessToken: string;
  /** The access token secret itself. */
  readonly secret: Buffer;
  readonly dhPrime: bigint;
  readonly signatureKey: KeyObject;
}

/** The 2048-bit safe prime of RFC 3526, group 14. */
const GROUP_14 =
  "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437" +
  "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05" +
  "98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
  "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff";

const KEY_BITS = 2048;
const SECRET_BYTES = 32;
const CONSUMER_KEY_LENGTH = 9;
const makeKeyPair = promisify(generateKeyPair);

/** Makes a new consumer's keys, access token and secret, as a user gets them from IBKR's self-service page. */
export async function generateCredentials(random: Random): Promise<SimulatorCredentials> {
  const [signature, encryption] = await Promise.all([
    makeKeyPair("rsa", { modulusLength: KEY_BITS }),
    makeKeyPair("rsa", { modulusLength: KEY_BITS }),
  ]);
  const secret = publicEncrypt({ key: encryption.publicKey, padding: constants.RSA_PKCS1_PADDING }, random.bytes(SECRET_BYTES));
  return {
    consumerKey: "SIM" + lettersFrom(random.bytes(CONSUMER_KEY_LENGTH - 3)),
    accessToken: random.bytes(10).toString("hex"),
    accessTokenSecret: secret.toString("base64"),
    dhPrime: GROUP_14,
    privateSignaturePem: pemOf(signature.privateKey),
    privateEncryptionPem: pemOf(encryption.privateKey),
  };
}

/** Reads credentials as IBKR holds them. Throws an `Error` that names the part which can't be used. */
export function consumerOf(credentials: SimulatorCredentials): Consumer {
  if (!/^[A-Z]{9}$/.test(credentials.consumerKey)) throw new Error("consumer_key is not nine letters A–Z");
  if (!/^[0-9a-zA-Z]+$/.test(credentials.accessToken)) throw new Error("access_token is not a word of letters and digits");
  if (!/^[0-9a-fA-F]{512}$/.test(credentials.dhPrime)) throw new Error("dh_prime is not a 2048-bit number in hex");
  return {
    consumerKey: credentials.consumerKey,
    accessToken: credentials.accessToken,
    secret: decryptSecret(credentials),
    dhPrime: BigInt(`0x${credentials.dhPrime}`),
    signatureKey: createPublicKey(privateKeyOf(credentials.privateSignaturePem, "private_signature.pem")),
  };
}

function lettersFrom(bytes: Buffer): string {
  return [...bytes].map((byte) => String.fromCodePoint(65 + (byte % 26))).join("");
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function privateKeyOf(pem: string, name: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Error(`${name} is not a private key in PEM form`, { cause });
  }
  if (key.asymmetricKeyType !== "rsa" || key.asymmetricKeyDetails?.modulusLength !== KEY_BITS)
    throw new Error(`${name} is not a ${KEY_BITS}-bit RSA key`);
  return key;
}

function decryptSecret({ accessTokenSecret, privateEncryptionPem }: SimulatorCredentials): Buffer {
  const key = privateKeyOf(privateEncryptionPem, "private_encryption.pem");
  const encrypted = Buffer.from(accessTokenSecret, "base64");
  let padded: Buffer;
  try {
    // Node refuses PKCS#1 v1.5 padding in private decryption, so the padding is taken off here (RFC 8017, 7.2.2).
    padded = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, encrypted);
  } catch (cause) {
    throw unusableSecret(cause);
  }
  const end = padded.indexOf(0, 2);
  if (padded[0] !== 0 || padded[1] !== 2 || end < 10 || end === padded.length - 1) throw unusableSecret();
  return padded.subarray(end + 1);
}

function unusableSecret(cause?: unknown): Error {
  return new Error("access_token_secret was not encrypted to private_encryption.pem", { cause });
}
