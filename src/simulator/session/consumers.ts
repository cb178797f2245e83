import type { DatabaseSync } from "node:sqlite";

import type { Random } from "../../lib/random.ts";
import { consumerOf, generateCredentials } from "./consumer.ts";
import type { Consumer, SimulatorCredentials } from "./consumer.ts";

/** The consumers that a store knows. */
export interface Consumers {
  /** The credentials that were given or, without any, the store's first. */
  readonly credentials: SimulatorCredentials;
  get(consumerKey: string): Consumer | undefined;
  /** The consumer that an access token was issued to. */
  ofAccessToken(accessToken: string): Consumer | undefined;
}

export interface ConsumersOptions {
  readonly store: DatabaseSync;
  readonly random: Random;
  /** Epoch ms. */
  readonly now: number;
  /** A consumer to take in, in place of a generated one. */
  readonly credentials: SimulatorCredentials | undefined;
}

/**
 * Reads the consumers of a store; an empty store gets the given one or a new one, so that credentials survive a restart.
 * Throws when given credentials can't be used, or are at odds with what the store holds for the same consumer key.
 */
export async function loadConsumers({ store, random, now, credentials }: ConsumersOptions): Promise<Consumers> {
  const stored = readAll(store);
  const own = credentials ?? stored[0] ?? (await generateCredentials(random));
  const consumer = consumerOf(own);
  const known = stored.find(({ consumerKey }) => consumerKey === own.consumerKey);
  if (known === undefined) insert(store, own, now);
  else if (!isSame(consumerOf(known), consumer))
    throw new Error(`consumer key ${own.consumerKey} belongs to other credentials in this state file`);
  const consumers = new Map(stored.map((row) => [row.consumerKey, consumerOf(row)]));
  consumers.set(own.consumerKey, consumer);
  return {
    credentials: own,
    get: (consumerKey) => consumers.get(consumerKey),
    ofAccessToken: (accessToken) => [...consumers.values()].find((each) => each.accessToken === accessToken),
  };
}

function isSame(a: Consumer, b: Consumer): boolean {
  return a.accessToken === b.accessToken && a.secret.equals(b.secret) && a.dhPrime === b.dhPrime && a.signatureKey.equals(b.signatureKey);
}

function readAll(store: DatabaseSync): readonly SimulatorCredentials[] {
  const rows = store.prepare("SELECT * FROM consumer ORDER BY created_at, rowid").all();
  return rows.map((row) => ({
    consumerKey: String(row["consumer_key"]),
    accessToken: String(row["access_token"]),
    accessTokenSecret: String(row["access_token_secret"]),
    dhPrime: String(row["dh_prime"]),
    privateSignaturePem: String(row["private_signature_pem"]),
    privateEncryptionPem: String(row["private_encryption_pem"]),
  }));
}

function insert(store: DatabaseSync, credentials: SimulatorCredentials, now: number): void {
  store
    .prepare("INSERT INTO consumer VALUES (?, ?, ?, ?, ?, ?, ?)")
    .run(
      credentials.consumerKey,
      credentials.accessToken,
      credentials.accessTokenSecret,
      credentials.dhPrime,
      credentials.privateSignaturePem,
      credentials.privateEncryptionPem,
      now,
    );
}
