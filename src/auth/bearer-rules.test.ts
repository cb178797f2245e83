/** Each rule of the bearer check on one engine, in milliseconds; bearer.test.ts has both engines, hostile headers and the speed. */
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from "vitest";

import { type FakeClock, fakeClock } from "../../test/support/fake-clock.ts";
import { seedOwner, type SeededOwner } from "../../test/support/seed-keys.ts";
import { seedTokens } from "../../test/support/seed-tokens.ts";
import { recordingLog, silentLog } from "../../test/support/silent-log.ts";
import { startEngine, type TestEngine } from "../../test/support/storages.ts";
import { systemRandom } from "../lib/random.ts";
import { sha256Hex } from "../lib/secret.ts";
import type { Storage } from "../storage/storage.ts";
import { listApiKeys, mintApiKey, type NewApiKey } from "./api-keys.ts";
import { type BearerCheck, type BearerCheckDeps, type BearerRefusal, createBearerCheck } from "./bearer.ts";

const RESOURCE = "https://gateway.example/mcp";
const ORIGIN = { address: "127.0.0.1", client: "curl/8" };

let databases: TestEngine;
let storage: Storage;
let clock: FakeClock;
let refusals: BearerRefusal[];
let bearer: BearerCheck;

beforeAll(async () => {
  databases = await startEngine("sqlite");
  storage = await (await databases.createDatabase()).open();
});
afterAll(() => databases.stop());
beforeEach(() => {
  clock = fakeClock();
  refusals = [];
  bearer = createCheck();
});
afterEach(async () => {
  await bearer.close();
  await storage.db.deleteFrom("oauth_access_tokens").execute();
  await storage.db.deleteFrom("app_grants").execute();
});

function createCheck(changes: Partial<BearerCheckDeps> = {}): BearerCheck {
  const onRefused = (reason: BearerRefusal) => void refusals.push(reason);
  return createBearerCheck({ storage, clock, log: silentLog, resource: () => RESOURCE, onRefused, ...changes });
}

async function reasonOf(header: string | undefined, check = bearer): Promise<BearerRefusal | "none"> {
  const result = await check.check(header, ORIGIN);
  return result.kind === "refused" ? result.reason : "none";
}

async function mint(changes: Partial<NewApiKey> = {}) {
  const owner = await seedOwner(storage);
  const { key, apiKey } = await mintApiKey({ storage, clock, random: systemRandom }, { ...owner, label: "mine", ...changes });
  return { header: `Bearer ${key.reveal()}`, id: apiKey.id, owner };
}

/** An access token of an approved app, for this resource, with the write scope. */
async function approve(): Promise<{ readonly header: string; readonly owner: SeededOwner }> {
  const { tokens, ...owner } = await seedTokens(storage, { count: 1, resource: RESOURCE });
  return { header: `Bearer ${tokens.join("")}`, owner };
}

type TokenChange = { readonly scope?: string; readonly audience?: string; readonly expires_at?: number };
type GrantChange = {
  readonly scope?: string;
  readonly expires_at?: number;
  readonly revoked_at?: number;
  readonly last_used_at?: number;
  readonly client_identity?: string;
  readonly allowed_account_ids?: string;
  readonly pinned_account_id?: string;
  readonly toolsets?: string;
};

const changeTokens = (change: TokenChange) => storage.db.updateTable("oauth_access_tokens").set(change).execute();
const changeGrants = (change: GrantChange) => storage.db.updateTable("app_grants").set(change).execute();

describe("an Authorization header", () => {
  test.each([
    [undefined, "missing"],
    ["", "missing"],
    [" \t", "missing"],
    ["Bearer", "malformed"],
    ["Bearer ", "malformed"],
    ["Bearer\tabc", "malformed"],
    ["Bearerabc", "malformed"],
    ["xBearer abc", "malformed"],
    ["Basic abc", "malformed"],
    ["Bearer abc def", "malformed"],
    ["Bearer abc,", "malformed"],
    ["Bearer a=b", "malformed"],
    ["Bearer =", "malformed"],
    ["Bearer abc==", "unknown"],
    ["Bearer a.b_c~d+e/f-g", "unknown"],
    ["bEARER   abc", "unknown"],
    [`Bearer ${"a".repeat(8_185)}`, "unknown"],
    [`Bearer ${"a".repeat(8_186)}`, "malformed"],
  ] as const)("%j is refused as %s, which is counted", async (header, reason) => {
    expect(await bearer.check(header, ORIGIN)).toEqual({ kind: "refused", reason });
    expect(refusals).toEqual([reason]);
  });

  it("is refused without a counter, too", async () => {
    const check = createBearerCheck({ storage, clock, log: silentLog });
    expect(await reasonOf(undefined, check)).toBe("missing");
    await check.close();
  });
});

describe("a stored secret of another form opens nothing", () => {
  const body = "aZ09_-".repeat(8).slice(0, 43);
  const forms = [
    [`ibkr_${body}`, "none"],
    [`ibkr_${body}a`, "unknown"],
    [`ibkr_${body.slice(1)}`, "unknown"],
    [`xibkr_${body}`, "unknown"],
    [`IBKR_${body}`, "unknown"],
    [`ibkr_${body.slice(1)}.`, "unknown"],
  ] as const;

  test.each(["ibkr_", "ibkr_at_"])("nor does one of the right form that isn't stored: %s…", async (start) => {
    expect(await reasonOf(`Bearer ${start}${body}`)).toBe("unknown");
  });

  test.each(forms)("key %s: %s", async (token, reason) => {
    const { id } = await mint();
    await storage.db
      .updateTable("api_keys")
      .set({ key_hash: sha256Hex(token) })
      .where("id", "=", id)
      .execute();
    expect(await reasonOf(`Bearer ${token}`)).toBe(reason);
    await storage.db.deleteFrom("api_keys").where("id", "=", id).execute();
  });

  test.each(forms)("access token %s: %s", async (key, reason) => {
    const token = key.replace(/ibkr_/i, "$&at_");
    await approve();
    await storage.db
      .updateTable("oauth_access_tokens")
      .set({ token_hash: sha256Hex(token) })
      .execute();
    expect(await reasonOf(`Bearer ${token}`)).toBe(reason);
  });
});

describe("an API key", () => {
  it("names its caller", async () => {
    const { header, id, owner } = await mint();
    expect(await bearer.check(header, ORIGIN)).toEqual({
      kind: "caller",
      isDemo: false,
      caller: {
        id,
        nameSpace: id,
        source: "apikey",
        ...owner,
        scope: "write",
        allowedAccountIds: undefined,
        pinnedAccountId: undefined,
        toolsets: [],
      },
    });
    expect(refusals).toEqual([]);
  });

  it("is good to the millisecond before it expires, and not longer", async () => {
    const { header } = await mint({ expiresAt: clock.now() + 1_000 });
    await clock.advance(999);
    expect(await reasonOf(header)).toBe("none");
    await clock.advance(1);
    expect(await reasonOf(header)).toBe("expired");
    await clock.advance(1);
    expect(await reasonOf(header)).toBe("expired");
  });

  it("that is revoked stays so, also once it has expired", async () => {
    const { header, id } = await mint({ expiresAt: clock.now() + 1_000 });
    await storage.db.updateTable("api_keys").set({ revoked_at: 0 }).where("id", "=", id).execute();
    expect(await reasonOf(header)).toBe("revoked");
    await clock.advance(2_000);
    expect(await reasonOf(header)).toBe("revoked");
  });

  it("of the demo's connection is marked", async () => {
    const { header, owner } = await mint();
    await storage.db.updateTable("connections").set({ is_demo: 1 }).where("id", "=", owner.connectionId).execute();
    expect(await bearer.check(header, ORIGIN)).toMatchObject({ kind: "caller", isDemo: true });
  });
});

describe("an access token", () => {
  it("names its caller with the limits of its grant", async () => {
    const { header, owner } = await approve();
    const plain = {
      ...owner,
      nameSpace: "https://host.example/client.json",
      source: "oauth",
      scope: "write",
      allowedAccountIds: undefined,
      pinnedAccountId: undefined,
      toolsets: [],
    };
    expect(await bearer.check(header, ORIGIN)).toEqual({ kind: "caller", isDemo: false, caller: { id: expect.any(String), ...plain } });
    await changeGrants({ allowed_account_ids: '["U1"]', pinned_account_id: "U1", toolsets: '["reports"]' });
    const limits = { allowedAccountIds: ["U1"], pinnedAccountId: "U1", toolsets: ["reports"] };
    expect(await bearer.check(header, ORIGIN)).toMatchObject({ caller: limits });
  });

  test.each([
    ["write", "write", "write"],
    ["write", "read", "read"],
    ["read", "write", "read"],
    ["read", "read", "read"],
  ])("of a grant to %s with the scope %s may %s", async (grant, token, scope) => {
    const { header } = await approve();
    await changeGrants({ scope: grant });
    await changeTokens({ scope: token });
    expect(await bearer.check(header, ORIGIN)).toMatchObject({ caller: { scope } });
  });

  it("is for one resource", async () => {
    const { header } = await approve();
    await changeTokens({ audience: `${RESOURCE}/other` });
    expect(await reasonOf(header)).toBe("wrong_audience");
    expect(await reasonOf(header, createCheck({ resource: () => `${RESOURCE}/other` }))).toBe("none");
  });

  it("is unknown where there is no resource", async () => {
    const { header } = await approve();
    const check = createBearerCheck({ storage, clock, log: silentLog });
    expect(await reasonOf(header, check)).toBe("unknown");
    await check.close();
  });

  it("ends by its own time and by its grant's, to the millisecond", async () => {
    const { header } = await approve();
    await changeTokens({ expires_at: clock.now() + 1_000 });
    await changeGrants({ expires_at: clock.now() + 2_000 });
    await clock.advance(999);
    expect(await reasonOf(header)).toBe("none");
    await clock.advance(1);
    expect(await reasonOf(header)).toBe("expired");
    await changeTokens({ expires_at: Number.MAX_SAFE_INTEGER });
    await clock.advance(999);
    expect(await reasonOf(header)).toBe("none");
    await clock.advance(1);
    expect(await reasonOf(header)).toBe("expired");
  });

  it("ends with its grant", async () => {
    const { header } = await approve();
    await changeGrants({ revoked_at: 0 });
    expect(await reasonOf(header)).toBe("revoked");
  });

  it("of a client that registered itself ends with its registration", async () => {
    const { header } = await approve();
    await changeGrants({ client_identity: "registered" });
    expect(await reasonOf(header)).toBe("revoked");
    const client = { client_id: "https://host.example/client.json", metadata: "{}", created_at: 1, used_at: 1 };
    await storage.db.insertInto("oauth_clients").values(client).execute();
    expect(await reasonOf(header)).toBe("none");
    await storage.db.deleteFrom("oauth_clients").execute();
  });
});

describe("the last use", () => {
  const useOfKey = async (owner: SeededOwner) => (await listApiKeys(storage, owner.userId))[0]?.lastUsed;
  const useOfGrant = () =>
    storage.db.selectFrom("app_grants").select(["last_used_at", "last_used_address", "last_used_client"]).executeTakeFirst();

  it("of a key is stored a second later, once a minute", async () => {
    const { header, owner } = await mint();
    const first = clock.now();
    await bearer.check(header, ORIGIN);
    expect(await useOfKey(owner)).toBeUndefined();
    await clock.advance(1_000);
    await expect.poll(() => useOfKey(owner)).toEqual({ at: first, ...ORIGIN });
    await clock.advance(58_999);
    await bearer.check(header, { address: "10.0.0.1", client: "early" });
    await bearer.close();
    expect(await useOfKey(owner)).toEqual({ at: first, ...ORIGIN });
    bearer = createCheck();
    await clock.advance(1);
    await bearer.check(header, { address: "10.0.0.1", client: "later" });
    await bearer.close();
    expect(await useOfKey(owner)).toEqual({ at: first + 60_000, address: "10.0.0.1", client: "later" });
  });

  it("of an app is stored with its grant", async () => {
    const { header } = await approve();
    const at = clock.now();
    await bearer.check(header, ORIGIN);
    await bearer.close();
    expect(await useOfGrant()).toEqual({ last_used_at: at, last_used_address: ORIGIN.address, last_used_client: ORIGIN.client });
  });

  it("is not stored for what is refused", async () => {
    const { header, id, owner } = await mint();
    await storage.db.updateTable("api_keys").set({ revoked_at: 0 }).where("id", "=", id).execute();
    await bearer.check(header, ORIGIN);
    await bearer.close();
    expect(await useOfKey(owner)).toBeUndefined();
  });

  it("that can't be stored is logged by what it is of, and refuses nobody", async () => {
    const { log, lines } = recordingLog();
    const check = createCheck({ log });
    const [key, app] = [await mint(), await approve()];
    for (const table of ["api_keys", "app_grants"])
      await sql`create trigger ${sql.raw(`no_notes_${table}`)} before update on ${sql.table(table)} begin select raise(abort, 'full'); end`.execute(
        storage.db,
      );
    for (const { header } of [key, app]) expect(await reasonOf(header, check)).toBe("none");
    await clock.advance(1_000);
    await expect
      .poll(() => lines.map(({ msg }) => msg))
      .toEqual(["noting the last use of API keys failed", "noting the last use of connected apps failed"]);
    for (const table of ["api_keys", "app_grants"]) await sql`drop trigger ${sql.raw(`no_notes_${table}`)}`.execute(storage.db);
    await check.close();
  });
});

test("a check that is closed stops its clock", async () => {
  const check = createCheck();
  const running = clock.pending;
  await check.close();
  expect(running - clock.pending).toBe(2);
});
