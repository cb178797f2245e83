import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";

import { systemRandom } from "../lib/random.ts";
import { Secret } from "../lib/secret.ts";

/** The exact place a sealed value belongs to; it opens nowhere else. */
export interface SealedPlace {
  readonly table: string;
  readonly column: string;
  readonly rowId: string;
  readonly userId: string;
}

/** Encrypts values for their place in the database, and opens them again. */
export interface Sealer {
  readonly keyId: string;
  /** Answers text for a column: `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url. */
  seal(text: string, place: SealedPlace): string;
  /** Throws an `Error` that names the fault (form, key, or place and content) and never the content. */
  unseal(sealed: string, place: SealedPlace): string;
}

export interface SealerOptions {
  /** 32 bytes; as text: base64 or hex, as `SEALING_KEY` takes it. */
  readonly key: Secret | Buffer;
  /** Names the key in what it sealed, so that a change of key is noticed: lower-case letters and digits. */
  readonly keyId: string;
}

const VERSION = "v1";
const KEY_BYTES = 32;
/** The nonce length that AES-GCM is made for (NIST SP 800-38D); at random it serves 2^32 values under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Makes a sealer with AES-256-GCM; the place and the key's id are its associated data. Throws when the key isn't 32 bytes. */
export function createSealer(options: SealerOptions): Sealer {
  const { keyId } = options;
  if (!/^[a-z0-9]{1,32}$/.test(keyId)) throw new Error("a sealing key's id is 1 to 32 lower-case letters and digits");
  const bytes = options.key instanceof Secret ? parseSealingKey(options.key) : options.key;
  if (bytes.length !== KEY_BYTES) throw new Error(`a sealing key has ${KEY_BYTES} bytes`);
  const key = createSecretKey(bytes);
  return {
    keyId,
    seal: (text, place) => {
      const nonce = systemRandom.bytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES }).setAAD(associatedData(keyId, place));
      const box = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return [VERSION, keyId, nonce.toString("base64url"), box.toString("base64url")].join(".");
    },
    unseal: (sealed, place) => {
      const { nonce, box } = parseSealed(sealed, keyId);
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(associatedData(keyId, place))
        .setAuthTag(box.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(box.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
      } catch {
        throw new Error("a sealed value does not open here: it was changed, moved from another row, or sealed under another key");
      }
    },
  };
}

/** Reads a sealing key of 32 bytes from base64, base64url or hex. Throws an `Error` without the text when it is anything else. */
export function parseSealingKey(text: Secret): Buffer {
  const value = text.reveal().trim();
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, "hex");
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) return Buffer.from(value, "base64");
  throw new Error("a sealing key is 32 bytes in base64 or hex (make one with: openssl rand -base64 32)");
}

/** A list as JSON, so that no two places give the same bytes. */
function associatedData(keyId: string, place: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify(["ibkr-gateway", VERSION, keyId, place.table, place.column, place.rowId, place.userId]), "utf8");
}

function parseSealed(sealed: string, keyId: string): { nonce: Buffer; box: Buffer } {
  const [version, sealedWith, nonceText = "", boxText = "", ...rest] = sealed.split(".");
  if (version !== VERSION || rest.length > 0) throw new Error("a sealed value has an unknown form");
  if (sealedWith !== keyId) throw new Error(`a sealed value was sealed under another key than the present one (${keyId})`);
  const nonce = Buffer.from(nonceText, "base64url");
  const box = Buffer.from(boxText, "base64url");
  if (nonce.length !== NONCE_BYTES || box.length < TAG_BYTES) throw new Error("a sealed value is damaged: a part is missing");
  return { nonce, box };
}
