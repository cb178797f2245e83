import type { DatabaseSync } from "node:sqlite";

import { describe, expect, test } from "vitest";

import { seededRandom, systemRandom } from "../../lib/random.ts";
import { openStore } from "../store.ts";
import { consumerOf, generateCredentials } from "./consumer.ts";
import { loadConsumers } from "./consumers.ts";
import type { Consumers } from "./consumers.ts";

const credentials = await generateCredentials(systemRandom);

function load(store: DatabaseSync, given = credentials): Promise<Consumers> {
  return loadConsumers({ store, random: systemRandom, now: 1, credentials: given });
}

describe("generated credentials", () => {
  test("look like those of IBKR's self-service page", () => {
    expect(credentials.consumerKey).toMatch(/^[A-Z]{9}$/);
    expect(credentials.accessToken).toMatch(/^[0-9a-f]{20}$/);
    expect(Buffer.from(credentials.accessTokenSecret, "base64")).toHaveLength(256);
    expect(credentials.privateSignaturePem).toContain("PRIVATE KEY");
  });

  test("hold a secret of 32 bytes that IBKR's side reads back", async () => {
    const generated = await generateCredentials(seededRandom("consumer"));
    expect(consumerOf(generated).secret.equals(seededRandom("consumer").bytes(32))).toBe(true);
  });
});

describe("credentials that can't be used", () => {
  test.each([
    ["consumer_key", { consumerKey: "short" }],
    ["access_token ", { accessToken: "with space" }],
    ["dh_prime", { dhPrime: "zz" }],
    ["private_signature.pem", { privateSignaturePem: "not a key" }],
    ["private_encryption.pem", { privateEncryptionPem: "not a key" }],
    ["access_token_secret", { accessTokenSecret: Buffer.alloc(256, 1).toString("base64") }],
    ["access_token_secret", { accessTokenSecret: "AAAA" }],
  ])("are refused by the name of the bad part: %s", (name, part) => {
    expect(() => consumerOf({ ...credentials, ...part })).toThrow(name.trim());
  });
});

describe("a store's consumers", () => {
  test("are the same when it is opened again", async () => {
    const store = openStore(undefined);
    await load(store);
    const again = await loadConsumers({ store, random: systemRandom, now: 2, credentials: undefined });
    expect(again.credentials).toEqual(credentials);
    expect(again.get(credentials.consumerKey)?.accessToken).toBe(credentials.accessToken);
    expect(again.get("NOBODYXYZ")).toBeUndefined();
  });

  test("refuse other credentials under a known consumer key", async () => {
    const store = openStore(undefined);
    await load(store);
    await expect(load(store, { ...credentials, accessToken: "0123" })).rejects.toThrow("other credentials");
  });
});
