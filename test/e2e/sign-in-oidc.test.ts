import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startGateway, type TestGateway } from "../support/gateway.ts";
import { ISSUER_CLIENT, type IssuerPerson, startOidcIssuer, type TestIssuer } from "../support/oidc-issuer.ts";
import { siteVisitor, type SiteVisitor } from "../support/site-visitor.ts";

const PASSWORD = "seventeen blue herons";
const ADA: IssuerPerson = { sub: "ada-1", email: "ada@example.com", email_verified: true, name: "Ada L." };

let issuer: TestIssuer;
let gateway: TestGateway;
let callback: string;
const visit = () => siteVisitor(gateway.app.publicUrl);

beforeAll(async () => {
  issuer = await startOidcIssuer(() => [callback]);
  gateway = await startGateway({
    environment: {
      SIMULATOR: "off",
      OIDC_ISSUER: issuer.url,
      OIDC_CLIENT_ID: ISSUER_CLIENT.clientId,
      OIDC_CLIENT_SECRET: ISSUER_CLIENT.clientSecret,
      OIDC_NAME: "Example SSO",
      OIDC_ALLOWED_DOMAINS: "example.com",
    },
  });
  callback = `${gateway.app.publicUrl}/sign-in/oidc/sso/callback`;
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

/** Goes to the issuer and comes back with its answer, which is not opened yet. */
async function goAndComeBack(visitor: SiteVisitor, person: IssuerPerson | undefined, fields: Readonly<Record<string, string>> = {}) {
  issuer.person = person;
  const begun = await visitor.post("/sign-in/oidc/sso", fields);
  expect(begun.status).toBe(303);
  return await issuer.signIn(begun.location ?? "");
}

async function signIn(visitor: SiteVisitor, person: IssuerPerson | undefined, fields: Readonly<Record<string, string>> = {}) {
  await visitor.get("/sign-in");
  return await visitor.get(await goAndComeBack(visitor, person, fields));
}

describe("signing in at an issuer", () => {
  it("(12) sends PKCE, state and nonce, and comes back to where it began", async () => {
    const ada = visit();
    expect(await signIn(ada, ADA, { return_to: "/consent/abc" })).toMatchObject({ status: 303, location: "/consent/abc" });
    const asked = issuer.asked.at(-1);
    expect(asked?.get("code_challenge_method")).toBe("S256");
    expect(asked?.get("code_challenge")).toMatch(/^[\w-]{43}$/);
    expect(asked?.get("state")).toMatch(/^[\w-]{43}$/);
    expect(asked?.get("nonce")).toMatch(/^[\w-]{43}$/);
    expect(asked?.get("redirect_uri")).toBe(callback);
    expect((await ada.get("/account")).text).toContain("ada@example.com");
  });

  it("wants to hear when the issuer saw the person, where a fresh sign-in is asked for", async () => {
    const ada = visit();
    expect(await signIn(ada, ADA, { again: "1" })).toMatchObject({ status: 303 });
    const asked = issuer.asked.findLast((query) => query.has("max_age"));
    expect(asked?.get("max_age")).toBe("0");
    expect(asked?.get("prompt")).toBe("login");
  });

  it("lets a new person in whose two browsers come back at the same moment, as one person", async () => {
    const twins = [visit(), visit(), visit()];
    const person = { sub: "twin-1", email: "twin@example.com", email_verified: true, name: "Twin" };
    const answers: string[] = [];
    for (const twin of twins) {
      await twin.get("/sign-in");
      answers.push(await goAndComeBack(twin, person));
    }
    const results = await Promise.all(twins.map((twin, index) => twin.get(answers[index] ?? "")));
    expect(results.map(({ status }) => status)).toEqual([303, 303, 303]);
    for (const twin of twins) expect((await twin.get("/account")).text).toContain("twin@example.com");
  });

  it("never follows a way back that leads elsewhere", async () => {
    expect(await signIn(visit(), ADA, { return_to: "//evil.example" })).toMatchObject({ status: 303, location: "/console" });
  });

  it("(12) takes an answer once, and only in the browser that began it", async () => {
    const ada = visit();
    await ada.get("/sign-in");
    const answer = await goAndComeBack(ada, ADA);
    const eve = visit();
    await eve.get("/sign-in");
    expect(await eve.get(answer)).toMatchObject({ status: 400, text: expect.stringContaining("not begun in this browser") });
    expect(await visit().get(answer)).toMatchObject({ status: 400 });
    const twin = visit();
    for (const [name, value] of ada.cookies) twin.cookies.set(name, value);
    expect(await ada.get(answer)).toMatchObject({ status: 303 });
    expect(await twin.get(answer)).toMatchObject({ status: 400 });
  });

  it("(12) refuses a changed state, a foreign code, and an answer that nobody began", async () => {
    const ada = visit();
    await ada.get("/sign-in");
    const answer = new URL(await goAndComeBack(ada, ADA));
    answer.searchParams.set("state", "x".repeat(43));
    expect(await ada.get(answer.href)).toMatchObject({ status: 400 });
    await ada.get("/sign-in");
    const second = new URL(await goAndComeBack(ada, ADA));
    second.searchParams.set("code", "made-up");
    expect(await ada.get(second.href)).toMatchObject({ status: 502, text: expect.stringContaining("be trusted") });
    expect(await ada.get("/sign-in/oidc/sso/callback?code=x")).toMatchObject({ status: 400 });
    expect(await ada.get("/sign-in/oidc/other/callback?code=x&state=y")).toMatchObject({ status: 404 });
    expect(ada.cookies.has("ibkr_session")).toBe(false);
  });

  it("says so when the person cancels there", async () => {
    expect(await signIn(visit(), undefined)).toMatchObject({ status: 403, text: expect.stringContaining("you cancelled") });
  });

  it.each<[string, IssuerPerson]>([
    ["whose address is of another domain", { sub: "eve-1", email: "eve@evil.example", email_verified: true }],
    ["whose address is not verified", { sub: "eve-2", email: "ada@example.com", email_verified: false }],
    ["whose address only ends like an allowed one", { sub: "eve-3", email: "eve@notexample.com", email_verified: true }],
    ["without an address", { sub: "eve-4" }],
  ])("opens no account for somebody %s", async (_who, person) => {
    const eve = visit();
    expect(await signIn(eve, person)).toMatchObject({ status: 403, text: expect.stringContaining("Ask whoever runs this gateway") });
    expect(eve.cookies.has("ibkr_session")).toBe(false);
  });

  it("knows people by issuer and subject: the same address of another account is another person", async () => {
    const [first, second] = [visit(), visit()];
    await signIn(first, { sub: "bob-1", email: "bob@example.com", email_verified: true, name: "First Bob" });
    await signIn(second, { sub: "bob-2", email: "bob@example.com", email_verified: true, name: "Second Bob" });
    expect((await second.get("/account")).text).toContain("Second Bob");
    const renamed = visit();
    await signIn(renamed, { sub: "bob-1", email: "robert@elsewhere.example", email_verified: true, name: "First Bob" });
    const { text } = await renamed.get("/account");
    expect(text).toContain("First Bob");
    expect(text).toContain("robert@elsewhere.example");
  });

  it("lets the first person claim the gateway, and an invited one of any domain come in", async () => {
    const path = gateway.app.setup.kind === "link" ? new URL(gateway.app.setup.url.reveal()).pathname : "";
    const owner = visit();
    await owner.get(path);
    const fields = { link_kind: "setup", link_token: path.split("/")[2] ?? "" };
    expect(await owner.get(await goAndComeBack(owner, { sub: "owner" }, fields))).toMatchObject({ status: 303, location: "/console" });
    expect((await owner.get("/account")).text).toContain("Runs this gateway");
    const invited = /(\/invite\/[\w-]{43})/.exec((await owner.post("/account/invitations", { note: "Eve" })).text)?.[1] ?? "";
    const eve = visit();
    expect((await eve.get(invited)).text).toContain("Create it with Example SSO");
    const inviting = { link_kind: "invite", link_token: invited.split("/")[2] ?? "" };
    expect(await eve.get(await goAndComeBack(eve, { sub: "eve-9", name: "Eve" }, inviting))).toMatchObject({ status: 303 });
    expect((await eve.get("/account")).text).not.toContain("Runs this gateway");
    expect(await visit().get(invited)).toMatchObject({ status: 410 });
  });

  it("adds a way to an account only for who is signed in to it, and never somebody else's", async () => {
    const carol = visit();
    await signIn(carol, { sub: "carol-1", email: "carol@example.com", email_verified: true });
    await carol.get("/account");
    expect(await carol.get(await goAndComeBack(carol, { sub: "carol-2" }, { purpose: "add" }))).toMatchObject({
      location: "/account?done=method_added",
    });
    await carol.get("/account");
    expect(await carol.get(await goAndComeBack(carol, ADA, { purpose: "add" }))).toMatchObject({
      status: 403,
      text: expect.stringContaining("another user"),
    });
    const again = visit();
    await signIn(again, { sub: "carol-2" });
    await again.get("/account");
    const remove = (subject: string) => again.post("/account/methods/remove", { issuer: issuer.url, subject });
    expect(await remove("carol-1")).toMatchObject({ status: 303 });
    expect(await remove("carol-2")).toMatchObject({ status: 422, text: expect.stringContaining("only way to sign in") });
  });

  it("asks somebody without a password for a fresh sign-in before their account is deleted", async () => {
    const dave = visit();
    await signIn(dave, { sub: "dave", email: "dave@example.com", email_verified: true });
    expect((await dave.get("/account/delete")).text).not.toContain('name="password"');
    expect(await dave.post("/account/delete", { confirm: "DELETE" })).toMatchObject({ location: "/sign-in?done=deleted" });
    expect(await dave.get("/account")).toMatchObject({ status: 303 });
  });
});

describe("an issuer that is down", () => {
  it("is said to be, and keeps nobody from signing in another way", async () => {
    const down = await startOidcIssuer(() => []);
    down.isDown = true;
    const other = await startGateway({
      environment: { SIMULATOR: "off", OIDC_ISSUER: down.url, OIDC_CLIENT_ID: "x", OIDC_NAME: "Example SSO" },
    });
    const ada = siteVisitor(other.app.publicUrl);
    await ada.get("/sign-in");
    expect(await ada.post("/sign-in/oidc/sso", {})).toMatchObject({
      status: 503,
      text: expect.stringContaining("Example SSO does not answer"),
    });
    await down.close();
    expect(await ada.post("/sign-in/oidc/sso", {})).toMatchObject({ status: 503 });
    const path = other.app.setup.kind === "link" ? new URL(other.app.setup.url.reveal()).pathname : "";
    await ada.get(path);
    expect(await ada.post(path, { display_name: "Ada", login_name: "ada", password: PASSWORD })).toMatchObject({ status: 303 });
    await other.close();
  });
});
