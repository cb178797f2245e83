import { constants, generateKeyPairSync, publicEncrypt } from "node:crypto";

import { pino } from "pino";
import { beforeAll, describe, expect, it } from "vitest";

import { fastClock } from "../../test/support/fast-clock.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { createConnectionOffer } from "../connections/connection-offer.ts";
import { createUserBudgets } from "../ibkr/user-budgets.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { createSimulator, type UserKind } from "../simulator/index.ts";
import { createHostPolicy } from "./host-policy.ts";
import { ibkrOauth } from "./ibkr-oauth.ts";
import { connectUpstream } from "./index.ts";
import type { Link, UpstreamDeps } from "./upstream.ts";

const hostPolicy = createHostPolicy({ hosts: [], isLocal: false });
const offer = createConnectionOffer(ibkrOauth, { hostPolicy });
let made: Readonly<Record<string, string>>;

/** What IBKR's page does with the encryption key's file: makes a secret and shows it encrypted. */
const secretFor = (publicPem: string): string =>
  publicEncrypt({ key: publicPem, padding: constants.RSA_PKCS1_PADDING }, systemRandom.bytes(32)).toString("base64");
const fileOf = (name: string): string => offer.publicFiles(made).find((file) => file.name === name)?.content ?? "";

beforeAll(async () => {
  made = await offer.prepare(systemRandom);
});

/** What a person enters who has this access token. */
function offerEntry(accessToken: string) {
  const read = offer.read({
    ...made,
    consumerKey: "ABCDEFGHI",
    accessToken,
    accessTokenSecret: secretFor(fileOf("public_encryption.pem")),
  });
  if (!("entry" in read)) throw new Error(JSON.stringify(read));
  return read.entry;
}

/** Connects what was entered to a simulated IBKR that knows this very consumer. */
async function withIbkr(user: UserKind, expectedMode: "paper" | "live", use: (link: Link) => Promise<void>): Promise<void> {
  const accessTokenSecret = secretFor(fileOf("public_encryption.pem"));
  const read = offer.read({
    ...made,
    consumerKey: " abc def ghi ",
    accessToken: "0f1e2d3c4b5a69788796",
    accessTokenSecret: ` ${accessTokenSecret.slice(0, 60)}\r\n${accessTokenSecret.slice(60)} `,
  });
  if (!("entry" in read)) throw new Error(JSON.stringify(read));
  const { settings, secrets } = read.entry;
  const secret = (name: string): string => secrets[name] ?? "";
  const clock = fastClock(10);
  const ibkr = await createSimulator({
    clock,
    user,
    pacing: { endpoints: false },
    credentials: {
      consumerKey: "ABCDEFGHI",
      accessToken: secret("accessToken"),
      accessTokenSecret: secret("accessTokenSecret"),
      dhPrime: secret("dhPrime"),
      privateSignaturePem: secret("privateSignaturePem"),
      privateEncryptionPem: secret("privateEncryptionPem"),
    },
  });
  const deps: UpstreamDeps = {
    clock,
    random: systemRandom,
    log: pino({ enabled: false }),
    fetch,
    expectedMode,
    embeddedSimulator: undefined,
    hostPolicy,
    ibkrBaseUrls: { automatic: ibkr.baseUrl },
  };
  const link = connectUpstream({ kind: "ibkr-oauth", settings, secrets }, deps);
  try {
    await use(link);
  } finally {
    await link.close();
    await ibkr.close();
  }
}

const call = () => ({ signal: AbortSignal.timeout(15_000), caller: "test" });

describe("a connection to IBKR by OAuth", () => {
  it("shares its budget with nobody who knows no more than its consumer key, which is public", () => {
    const { settings, secrets } = offerEntry("0f1e2d3c4b5a69788796");
    const budgets = createUserBudgets({ clock: systemClock, log: silentLog });
    const connect = (userId: string, entry: typeof secrets): Link =>
      connectUpstream(
        { kind: "ibkr-oauth", settings, secrets: entry },
        {
          clock: systemClock,
          random: systemRandom,
          log: silentLog,
          fetch,
          expectedMode: "paper",
          embeddedSimulator: undefined,
          hostPolicy,
          budgets: budgets.ofOwner(userId),
        },
      );
    connect("ada", secrets);
    connect("ada", secrets);
    expect(budgets.figures().users).toBe(1);
    connect("mallory", { ...secrets, accessToken: "ffffffffffffffffffff" });
    expect(budgets.figures().users).toBe(2);
  });

  it("is set up with keys that were made here, three public files and what IBKR shows, and logs in with them", async () => {
    expect(offer.publicFiles(made).map(({ name }) => name)).toEqual(["public_signature.pem", "public_encryption.pem", "dhparam.pem"]);
    const all = JSON.stringify(offer.publicFiles(made));
    expect(all).not.toContain("PRIVATE");
    expect(all).not.toContain(String.raw`\r`);
    await withIbkr("paper", "paper", async (link) => {
      expect(await link.accounts(call())).not.toEqual([]);
      expect(link.health()).toMatchObject({ state: "established", provenMode: "paper" });
    });
  });

  it("reaches real money only where it was made for it", async () => {
    await withIbkr("live", "live", async (link) => {
      expect(await link.accounts(call())).not.toEqual([]);
      expect(link.mode).toBe("live");
    });
  });

  it.each<[UserKind, "paper" | "live"]>([
    ["live", "paper"],
    ["paper", "live"],
  ])("freezes when a %s user logs in at a connection for %s", async (user, expected) => {
    await withIbkr(user, expected, async (link) => {
      await expect(link.accounts(call())).rejects.toMatchObject({ code: "connection_frozen" });
      expect(link.health()).toMatchObject({ state: "frozen" });
    });
  });

  it("knows IBKR's own addresses alone", async () => {
    const asked: string[] = [];
    const edge: typeof fetch = (input) => {
      asked.push(new URL(input instanceof Request ? input.url : input).origin);
      return Promise.reject(new TypeError("not reached"));
    };
    const secrets = { ...made, accessToken: "a", accessTokenSecret: secretFor(fileOf("public_encryption.pem")) };
    for (const region of ["automatic", "new_york", "chicago", "hong_kong", "zug"]) {
      const stored = { kind: "ibkr-oauth", settings: { consumerKey: "ABCDEFGHI", region }, secrets };
      const link = connectUpstream(stored, {
        clock: systemClock,
        random: systemRandom,
        log: pino({ enabled: false }),
        fetch: edge,
        expectedMode: "paper",
        embeddedSimulator: undefined,
        hostPolicy,
      });
      await expect(link.accounts(call())).rejects.toThrow();
      await link.close();
    }
    expect(new Set(asked)).toEqual(new Set(["api", "1.api", "3.api", "5.api", "7.api"].map((name) => `https://${name}.ibkr.com`)));
    expect(offer.read({ ...secrets, consumerKey: "ABCDEFGHI", region: "http://127.0.0.1" })).toEqual({
      wrong: [{ field: "region", fault: "wrong" }],
    });
  });

  it("says when at the latest what is entered now comes into force", () => {
    const now = Date.parse("2026-11-23T12:00:00Z");
    const at = (region: string): string => new Date(offer.activeFrom({ region }, now) ?? 0).toISOString();
    expect([at("new_york"), at("chicago"), at("zug"), at("hong_kong"), at("automatic"), at("")]).toEqual([
      "2026-11-24T05:00:00.000Z",
      "2026-11-24T05:00:00.000Z",
      "2026-11-23T23:00:00.000Z",
      "2026-11-23T16:00:00.000Z",
      "2026-11-24T05:00:00.000Z",
      "2026-11-24T05:00:00.000Z",
    ]);
  });
});

describe("what is entered for it", () => {
  const faults = (values: Readonly<Record<string, string>>) => offer.check(values);

  it("is fine while nothing is entered, and with what was made", () => {
    expect(faults({})).toEqual([]);
    expect(faults(made)).toEqual([]);
    expect(
      faults({ ...made, consumerKey: "abcdefghi", accessToken: "0a1b", accessTokenSecret: secretFor(fileOf("public_encryption.pem")) }),
    ).toEqual([]);
  });

  it("may be keys of the person's own, whose public halves are then the files", () => {
    const own = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = own.privateKey.export({ type: "pkcs1", format: "pem" }).toString().replaceAll("\n", "\r\n");
    const values = { ...made, privateSignaturePem: pem };
    expect(faults(values)).toEqual([]);
    expect(offer.publicFiles(values)[0]?.content).toBe(own.publicKey.export({ type: "spki", format: "pem" }).toString());
  });

  it.each([
    ["consumerKey", "ABCDEFGH", /8 letters/],
    ["consumerKey", "ABCDEFGHIJ", /10 letters/],
    ["consumerKey", "ABCDEFGH1", /more than the letters/],
    ["accessToken", "a b<c>", /not an access token/],
    ["accessToken", "a".repeat(344), /too long/],
    ["accessTokenSecret", "not*base64", /not base64/],
    ["dhPrime", "123", /9 bits/],
    ["privateSignaturePem", "hello", /not a private key/],
  ])("is named with its cure when the %s is %s", (field, text, message) => {
    const [fault, ...rest] = faults({ ...made, [field]: text });
    expect(fault).toMatchObject({ field, message: expect.stringMatching(message), whatToDo: expect.stringMatching(/.{20}/) });
    expect(rest).toEqual([]);
  });

  it("is refused when the secret was made for another encryption key, and when one key stands for both", () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const secret = secretFor(publicKey.export({ type: "spki", format: "pem" }).toString());
    expect(faults({ ...made, accessTokenSecret: secret })).toMatchObject([
      { field: "accessTokenSecret", message: "This secret was made for another encryption key." },
    ]);
    expect(faults({ ...made, privateEncryptionPem: made["privateSignaturePem"] ?? "" })).toMatchObject([
      { field: "privateEncryptionPem", message: expect.stringContaining("signature key") },
    ]);
  });

  it("offers no files while a key is missing", () => {
    expect(offer.publicFiles({})).toEqual([]);
    expect(offer.publicFiles({ ...made, dhPrime: "zz" })).toEqual([]);
  });

  it("is asked for in steps, each field once", () => {
    expect(offer.steps.flatMap(({ fields }) => fields).toSorted()).toEqual(offer.fields.map(({ name }) => name).toSorted());
  });
});
