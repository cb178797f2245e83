import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

import type { Random } from "../../lib/random.ts";
import { sha256Hex } from "../../lib/secret.ts";

/** How our secrets begin, so that scanners and people know them for what they are. */
export const SECRET_STARTS = { accessToken: "ibkr_at_", refreshToken: "ibkr_rt_", code: "ibkr_ac_", clientSecret: "ibkr_cs_" } as const;

const SECRET_BYTES = 32;

/** A new secret of 256 random bits in base64url. */
export function newSecret(random: Random, start: string): string {
  return start + random.bytes(SECRET_BYTES).toString("base64url");
}

/** The key under which a record of this kind is stored; two kinds never share one. */
export function recordHash(kind: string, id: string): string {
  return sha256Hex(`${kind}:${id}`);
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts a text so that only who presents `secret` again can read it (AES-256-GCM under HKDF of the secret). */
export function sealUnder(secret: string, text: string, random: Random): string {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyOf(secret), nonce, { authTagLength: TAG_BYTES });
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

/** Decrypts what `sealUnder` made. Throws when the secret is another or the text was changed. */
export function openUnder(secret: string, sealed: string): string {
  const box = Buffer.from(sealed, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", keyOf(secret), box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(box.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString("utf8");
}

function keyOf(secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "ibkr-gateway refresh answer", 32));
}
