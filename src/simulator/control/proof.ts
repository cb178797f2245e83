import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import { isRecord } from "../../lib/json.ts";
import { failure, ok } from "../http/route.ts";
import type { SimReply } from "../http/route.ts";

const SCHEMA = "CREATE TABLE IF NOT EXISTS proof_key (id INTEGER PRIMARY KEY CHECK (id = 1), private_pem TEXT NOT NULL) STRICT";

/** What stands before the nonce in what is signed, so that the signature is good for nothing else. */
export const PROOF_PREFIX = "ibkr-simulator-proof/1:";
/** Long enough not to be guessed, short enough for any client. */
const NONCE = /^[A-Za-z0-9_-]{16,128}$/;

/** The simulator's proof that it is none of IBKR's servers. */
export interface Proof {
  /** The public half of its Ed25519 key, in PEM (SubjectPublicKeyInfo). */
  readonly publicKeyPem: string;
  /**
   * Answers `POST /simulator/proof {"nonce"}` (16 to 128 letters, digits, `-`, `_`) with `{nonce, signature, public_key}`:
   * the signature is base64 of Ed25519 over the UTF-8 bytes of `ibkr-simulator-proof/1:` and the nonce.
   */
  answer(body: unknown): SimReply;
}

/** Opens the proof of a store, whose key outlives a restart; a new store gets a new key. */
export function openProof(store: DatabaseSync): Proof {
  store.exec(SCHEMA);
  const key = storedKey(store) ?? newKey(store);
  const publicKeyPem = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  return {
    publicKeyPem,
    answer: (body) => {
      const nonce = isRecord(body) ? body["nonce"] : undefined;
      if (typeof nonce !== "string" || !NONCE.test(nonce))
        return failure(400, "Bad Request: nonce is not 16 to 128 letters, digits, hyphens or underscores");
      const signature = sign(null, Buffer.from(PROOF_PREFIX + nonce, "utf8"), key).toString("base64");
      return ok({ nonce, signature, public_key: publicKeyPem });
    },
  };
}

function storedKey(store: DatabaseSync): KeyObject | undefined {
  const row = store.prepare("SELECT private_pem FROM proof_key").get();
  return row === undefined ? undefined : createPrivateKey(String(row["private_pem"]));
}

function newKey(store: DatabaseSync): KeyObject {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  store.prepare("INSERT INTO proof_key VALUES (1, ?)").run(pem);
  return privateKey;
}
