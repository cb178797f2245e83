import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type FakeClock, fakeClock } from "../../../test/support/fake-clock.ts";
import { seedOwner } from "../../../test/support/seed-keys.ts";
import { ENGINES, startEngine, type TestEngine } from "../../../test/support/storages.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Storage } from "../../storage/storage.ts";
import { findUser, insertUser } from "../../storage/users.ts";
import { prepareFirstSetup } from "./create-sign-in.ts";
import { createPerson, type FirstMethod } from "./new-person.ts";
import { createLink, findLink, type LinkKind, type NewLink } from "./one-time-links.ts";

describe.each(ENGINES)("one-time links on %s", (engine) => {
  let databases: TestEngine;
  let storage: Storage;
  let clock: FakeClock;
  beforeAll(async () => {
    databases = await startEngine(engine);
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    storage = await (await databases.createDatabase()).open();
    clock = fakeClock();
  });
  const deps = () => ({ storage, clock, random: systemRandom });
  const make = async (wanted: NewLink): Promise<string> => (await createLink(deps(), wanted)).reveal().split("/")[2] ?? "";
  const find = (kind: LinkKind, token: string) => findLink(deps(), kind, token);
  const password = (loginName: string): FirstMethod => ({ kind: "password", loginName, passwordHash: "$argon2id$" });
  const usable = async (kind: LinkKind, token: string) => {
    const found = await find(kind, token);
    return found.kind === "usable" ? found.link : undefined;
  };

  it("(13) are stored as a hash", async () => {
    const token = await make({ kind: "invite" });
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(await storage.db.selectFrom("sign_in_links").selectAll().execute())).not.toContain(token);
  });

  it("open only what they were made for, within their time", async () => {
    const token = await make({ kind: "invite" });
    expect(await find("setup", token)).toEqual({ kind: "unusable", reason: "unknown" });
    await clock.advance(7 * 24 * 3_600_000 - 1);
    expect(await find("invite", token)).toMatchObject({ kind: "usable" });
    await clock.advance(1);
    expect(await find("invite", token)).toEqual({ kind: "unusable", reason: "expired" });
  });

  it("(25) of set-up are one: a new one voids the one before, and none is made once somebody has an account", async () => {
    expect(await prepareFirstSetup(deps())).toMatchObject({ kind: "link" });
    expect(await prepareFirstSetup(deps())).toEqual({ kind: "waiting" });
    const first = await make({ kind: "setup" });
    const second = await make({ kind: "setup" });
    expect(await find("setup", first)).toMatchObject({ reason: "unknown" });
    expect(await find("setup", second)).toMatchObject({ kind: "usable" });
    await seedOwner(storage);
    expect(await prepareFirstSetup(deps())).toEqual({ kind: "done" });
  });

  it("of set-up make whoever uses them the demo's owner, with all that is theirs", async () => {
    await insertUser(storage, { id: "usr_demo", display_name: "Demo owner", is_demo: 1, created_at: 1 });
    const link = await usable("setup", await make({ kind: "setup" }));
    const made = await createPerson(deps(), { link, displayName: " Ada ", method: password("ada") });
    expect(made).toEqual({ kind: "created", userId: "usr_demo", tookOverDemo: true });
    expect(await findUser(storage, "usr_demo")).toMatchObject({ display_name: "Ada", is_demo: 0, is_operator: 1, created_at: 1 });
  });

  it("serve once, also for two at the same moment, and not at all when the name is taken", async () => {
    const link = await usable("invite", await make({ kind: "invite" }));
    const both = await Promise.all(["ada", "bob"].map((name) => createPerson(deps(), { link, displayName: name, method: password(name) })));
    expect(both.filter((made) => made.kind === "created")).toHaveLength(1);
    expect(both).toContainEqual({ kind: "refused", reason: "link_used" });
    const [taken = ""] = (await storage.db.selectFrom("local_accounts").select("login_name").execute()).map((row) => row.login_name);
    const token = await make({ kind: "invite" });
    const next = await usable("invite", token);
    expect(await createPerson(deps(), { link: next, displayName: "Eve", method: password(taken) })).toEqual({
      kind: "refused",
      reason: "login_name_taken",
    });
    expect(await find("invite", token)).toMatchObject({ kind: "usable" });
    expect(await storage.db.selectFrom("users").selectAll().execute()).toHaveLength(1);
  });

  it("go with who made them, and are bounded", async () => {
    const { userId } = await seedOwner(storage);
    const token = await make({ kind: "invite", invitedBy: userId });
    for (let count = 0; count < 99; count += 1) await make({ kind: "invite" });
    await expect(make({ kind: "invite" })).rejects.toThrow(RangeError);
    await storage.db.deleteFrom("users").where("id", "=", userId).execute();
    expect(await find("invite", token)).toMatchObject({ reason: "unknown" });
  });
});
