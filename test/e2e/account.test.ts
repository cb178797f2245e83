import { execFileSync } from "node:child_process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { userCommand } from "../../src/cli-user.ts";
import { temporaryFolder } from "../support/built-gateway.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { siteVisitor, type SiteVisitor } from "../support/site-visitor.ts";

const PASSWORD = "seventeen blue herons";
const NEXT_PASSWORD = "eighteen grey herons";

/** Status of a call of `/mcp` with a key. */
async function callWith(url: string, key: string): Promise<number> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "get_accounts", arguments: {} } });
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  return (await fetch(`${url}/mcp`, { method: "POST", headers, body })).status;
}

async function fill(visitor: SiteVisitor, path: string, loginName: string) {
  await visitor.get(path);
  return await visitor.post(path, { display_name: loginName, login_name: loginName, password: PASSWORD });
}

async function signIn(visitor: SiteVisitor, loginName: string, password: string) {
  await visitor.get("/sign-in");
  return await visitor.post("/sign-in", { login_name: loginName, password });
}

/** Runs a command on the gateway's database and answers what it printed. */
async function command(dataDir: string, ...args: string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const environment = { DATA_DIR: dataDir, PUBLIC_URL: "http://localhost:8080" };
  await userCommand({ environment, print: (line) => void lines.push(line) }, args);
  return lines;
}

const linkIn = (text: string): string => /\/(?:setup|invite|reset)\/[\w-]{43}/.exec(text)?.[0] ?? "";

describe("an account", () => {
  const dataDir = temporaryFolder();
  let gateway: TestGateway;
  let demoKey: string;
  let ada: SiteVisitor;
  const visit = () => siteVisitor(gateway.app.publicUrl);
  beforeAll(async () => {
    gateway = await startGateway({ dataDir });
    demoKey = gateway.key;
    ada = visit();
    await fill(ada, gateway.app.setup.kind === "link" ? linkIn(gateway.app.setup.url.reveal()) : "", "ada");
    await ada.get("/account");
  });
  afterAll(() => gateway.close());

  it("that took the demo over keeps its connection and key, on this machine", async () => {
    expect(await callWith(gateway.url, demoKey)).toBe(200);
  });

  it("exports everything that belongs to it, and no secret", async () => {
    await gateway.tool("get_accounts");
    await expect.poll(async () => (await ada.get("/account/export")).text).toContain('"tool":"get_accounts"');
    const { text, headers } = await ada.get("/account/export");
    expect(headers.get("Content-Disposition")).toContain("attachment");
    const exported: Record<string, unknown> = JSON.parse(text);
    expect(Object.keys(exported)).toEqual([
      "format",
      "exported_at",
      "user",
      "password",
      "passkeys",
      "accounts_elsewhere",
      "sessions",
      "invitations",
      "connections",
      "api_keys",
      "connected_apps",
      "order_requests",
      "order_attempts",
      "calls",
    ]);
    expect(exported).toMatchObject({
      user: [{ display_name: "ada", is_operator: 1 }],
      password: [{ login_name: "ada" }],
      connections: [{ kind: "simulator", is_demo: 1 }],
      api_keys: [{ label: "default", prefix: demoKey.slice(0, 11) }],
    });
    expect(text).not.toMatch(/(?:key|token|password)_hash|sealed|argon2/);
    expect(text).not.toContain(demoKey.slice(11));
  });

  it("changes its password, which ends its other sessions", async () => {
    const elsewhere = visit();
    await signIn(elsewhere, "ada", PASSWORD);
    await ada.get("/account");
    const change = (current: string, next: string) => ada.post("/account/password", { current, next });
    expect(await change("not my password", NEXT_PASSWORD)).toMatchObject({
      status: 422,
      text: expect.stringContaining("not your present password"),
    });
    expect(await change(PASSWORD, "ada12345678")).toMatchObject({ status: 422 });
    expect(await change(PASSWORD, NEXT_PASSWORD)).toMatchObject({ status: 303, location: "/account?done=password" });
    expect((await ada.get("/account")).status).toBe(200);
    expect((await elsewhere.get("/account")).status).toBe(303);
    expect((await signIn(visit(), "ada", PASSWORD)).status).toBe(403);
    expect((await signIn(visit(), "ADA ", NEXT_PASSWORD)).status).toBe(303);
  });

  it("invites others when it runs the gateway, and only then", async () => {
    await ada.get("/account");
    const path = linkIn((await ada.post("/account/invitations", { note: "Bob <b>" })).text);
    const bob = visit();
    expect(await fill(bob, path, "ada")).toMatchObject({ status: 422, text: expect.stringContaining("This name is taken") });
    expect(await fill(bob, path, "bob")).toMatchObject({ status: 303 });
    expect((await bob.get("/account")).text).not.toContain("Invite people");
    expect(await bob.post("/account/invitations", { note: "" })).toMatchObject({ status: 403 });
    expect((await bob.get("/account/export")).text).not.toContain(demoKey.slice(0, 11));
  });

  it("takes an invitation back", async () => {
    await ada.get("/account");
    const page = await ada.post("/account/invitations", { note: "Eve" });
    const id = /name="invitation" value="(lnk_\w+)"/.exec(page.text)?.[1] ?? "";
    expect(await ada.post("/account/invitations/remove", { invitation: id })).toMatchObject({ status: 303 });
    expect(await visit().get(linkIn(page.text))).toMatchObject({ status: 404 });
  });

  it("ends one session, and not another user's", async () => {
    const [here, bob] = [visit(), visit()];
    await signIn(here, "ada", NEXT_PASSWORD);
    await signIn(bob, "bob", PASSWORD);
    const sessions = [...(await ada.get("/account")).text.matchAll(/name="session" value="(ses_\w+)"/g)].map(([, id]) => id ?? "");
    expect(sessions.length).toBeGreaterThan(1);
    await bob.get("/account");
    for (const session of sessions) await bob.post("/account/sessions/end", { session });
    expect((await here.get("/account")).status).toBe(200);
    await ada.get("/account");
    expect(await ada.post("/account/sessions/end", { others: "1" })).toMatchObject({ location: "/account?done=sessions" });
    expect((await here.get("/account")).status).toBe(303);
    expect((await bob.get("/account")).status).toBe(200);
  });

  it("gets a new password by a link that a command makes, once", async () => {
    const path = linkIn((await command(dataDir, "reset", "bob")).join("\n"));
    const bob = visit();
    await signIn(bob, "bob", PASSWORD);
    const reset = visit();
    await reset.get(path);
    expect(await reset.post(path, { password: "bob" })).toMatchObject({ status: 422 });
    expect(await reset.post(path, { password: NEXT_PASSWORD })).toMatchObject({ status: 303, location: "/sign-in?done=reset" });
    expect((await bob.get("/account")).status).toBe(303);
    expect((await signIn(bob, "bob", NEXT_PASSWORD)).status).toBe(303);
    expect(await visit().get(path)).toMatchObject({ status: 410 });
    await expect(command(dataDir, "reset", "nobody")).rejects.toThrow("nobody signs in as nobody");
    expect((await command(dataDir, "list")).join("\n")).toMatch(/operator {2}ada.*\n.*user {2}bob/);
    expect(linkIn((await command(dataDir, "invite")).join("\n"))).toMatch(/^\/invite\//);
    await expect(command(dataDir, "promote")).rejects.toThrow("say user list");
  });

  it("(13) leaves no usable secret in a dump of the database", () => {
    const dump = execFileSync("node", ["-e", DUMP, `${dataDir}/gateway.sqlite`], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
    expect(dump).toContain("argon2id");
    const secrets = [PASSWORD, NEXT_PASSWORD, demoKey, ...ada.cookies.values(), ada.formToken];
    for (const secret of secrets) expect(dump).not.toContain(secret);
    expect(dump).not.toMatch(/\b(?:setup|invite|reset)\/[\w-]{43}/);
  });

  it("(17) is deleted with all that belongs to it, after its password and a typed word", async () => {
    const bob = visit();
    await signIn(bob, "bob", NEXT_PASSWORD);
    await bob.get("/account/delete");
    expect(await bob.post("/account/delete", { confirm: "yes", password: NEXT_PASSWORD })).toMatchObject({ status: 422 });
    expect(await bob.post("/account/delete", { confirm: "DELETE", password: PASSWORD })).toMatchObject({ status: 422 });
    expect(await bob.post("/account/delete", { confirm: "DELETE", password: NEXT_PASSWORD })).toMatchObject({
      location: "/sign-in?done=deleted",
    });
    expect((await bob.get("/account")).status).toBe(303);
    expect((await signIn(visit(), "bob", NEXT_PASSWORD)).status).toBe(403);
    await signIn(ada, "ada", NEXT_PASSWORD);
    await ada.get("/account/delete");
    expect(await callWith(gateway.url, demoKey)).toBe(200);
    expect(await ada.post("/account/delete", { confirm: "DELETE", password: NEXT_PASSWORD })).toMatchObject({ status: 303 });
    expect(await callWith(gateway.url, demoKey)).toBe(401);
    expect(gateway.logged.join("")).toContain("account_deleted");
  });
});

/** Prints every row of every table. */
const DUMP = `const { DatabaseSync } = require("node:sqlite");
  const db = new DatabaseSync(process.argv[1]);
  for (const { name } of db.prepare("select name from sqlite_master where type = 'table'").all())
    console.log(name, JSON.stringify(db.prepare("select * from \\"" + name + "\\"").all()));`;

describe("a set-up link", () => {
  it("(25) is made anew by a command while nobody has an account, and the printed one works no more", async () => {
    const dataDir = temporaryFolder();
    const gateway = await startGateway({ dataDir, environment: { SIMULATOR: "off" } });
    const printed = gateway.app.setup.kind === "link" ? linkIn(gateway.app.setup.url.reveal()) : "";
    expect(await command(dataDir, "list")).toEqual([expect.stringContaining("nobody has an account yet")]);
    const lines = await command(dataDir, "invite");
    expect(lines.join("\n")).toContain("http://localhost:8080/setup/");
    const visitor = siteVisitor(gateway.app.publicUrl);
    expect(await visitor.get(printed)).toMatchObject({ status: 404 });
    expect(await fill(visitor, linkIn(lines.join("\n")), "ada")).toMatchObject({ status: 303 });
    await gateway.close();
  });
});

describe("the demo's connection that somebody has taken over", () => {
  it.each([{ PUBLIC_URL: "https://gateway.example.com" }, { DEMO: "off" }])(
    "works no more with %j, and is not made again",
    async (environment) => {
      const dataDir = temporaryFolder();
      const first = await startGateway({ dataDir });
      const path = first.app.setup.kind === "link" ? linkIn(first.app.setup.url.reveal()) : "";
      expect(await fill(siteVisitor(first.app.publicUrl), path, "ada")).toMatchObject({ status: 303 });
      expect(await callWith(first.url, first.key)).toBe(200);
      await first.close();
      const second = await startGateway({ dataDir, environment });
      expect(second.app.setup).toEqual({ kind: "done" });
      expect(await callWith(second.url, first.key)).toBe(401);
      await second.close();
      const third = await startGateway({ dataDir });
      expect(third.app.demo.kind).toBe("ready");
      expect(await callWith(third.url, first.key)).toBe(200);
      await third.close();
    },
  );
});
