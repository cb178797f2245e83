import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fakeClock } from "../support/fake-clock.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { siteVisitor, type SiteVisitor } from "../support/site-visitor.ts";

const PASSWORD = "seventeen blue herons";
const gateways: TestGateway[] = [];

/** A gateway whose clock the test turns. */
async function start(environment: Readonly<Record<string, string>> = {}, dataDir?: string) {
  const clock = fakeClock();
  const gateway = await startGateway({
    environment: { SIMULATOR: "off", ...environment },
    deps: { clock },
    ...(dataDir === undefined ? {} : { dataDir }),
  });
  gateways.push(gateway);
  return { gateway, clock, visit: () => siteVisitor(gateway.app.publicUrl), setupPath: setupPath(gateway) };
}

function setupPath({ app }: TestGateway): string {
  return app.setup.kind === "link" ? new URL(app.setup.url.reveal()).pathname : "";
}

async function claim(visitor: SiteVisitor, path: string, loginName = "ada") {
  await visitor.get(path);
  return await visitor.post(path, { display_name: "Ada", login_name: loginName, password: PASSWORD });
}

async function signIn(visitor: SiteVisitor, password = PASSWORD, loginName = "ada") {
  await visitor.get("/sign-in");
  return await visitor.post("/sign-in", { login_name: loginName, password });
}

afterAll(() => Promise.all(gateways.map((gateway) => gateway.close())));

describe("the first set-up", () => {
  it("(25) makes whoever opens the printed link the operator, once", async () => {
    const { visit, setupPath: path, gateway } = await start();
    const ada = visit();
    expect(await claim(ada, path)).toMatchObject({ status: 303, location: "/console" });
    const account = await ada.get("/account");
    expect(account.text).toContain("Runs this gateway");
    const late = visit();
    expect(await late.get(path)).toMatchObject({ status: 410, text: expect.stringContaining("used already") });
    expect(gateway.logged.join("")).not.toContain(path.split("/")[2]);
  });

  it("(25) lets one of two in who use the link at the same moment", async () => {
    const { visit, setupPath: path } = await start();
    const [ada, eve] = [visit(), visit()];
    await Promise.all([ada.get(path), eve.get(path)]);
    const form = (name: string) => ({ display_name: name, login_name: name, password: PASSWORD });
    const answers = await Promise.all([ada.post(path, form("ada")), eve.post(path, form("eve"))]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 410]);
  });

  it("is not opened by any other link", async () => {
    const { visit } = await start();
    expect(await visit().get(`/setup/${"A".repeat(43)}`)).toMatchObject({ status: 404 });
    expect(await visit().get("/setup/short")).toMatchObject({ status: 404 });
  });

  it("keeps what was typed, marks what is wrong, and says why", async () => {
    const { visit, setupPath: path } = await start();
    const ada = visit();
    await ada.get(path);
    const answer = await ada.post(path, { display_name: "Ada <b>", login_name: "a", password: "short" });
    expect(answer).toMatchObject({ status: 422 });
    expect(answer.text).toContain('value="Ada &lt;b&gt;"');
    expect(answer.text).toContain("Use 3 to 100 letters");
    expect(answer.text).toContain("Use at least 12 characters");
    expect(answer.text).toContain('aria-invalid="true"');
    expect(answer.text).not.toContain("short");
    for (const password of ["password1234", "Adaadaada1234", "aaaaaaaaaaaaaa", "qwertyuiopas"]) {
      expect(await ada.post(path, { display_name: "Ada", login_name: "adaada", password })).toMatchObject({ status: 422 });
    }
  });
});

describe("signing in", () => {
  let world: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    world = await start();
    await claim(world.visit(), world.setupPath);
  });

  it("(24) gives a new HttpOnly, SameSite=Lax session each time and never one that was brought along", async () => {
    const ada = world.visit();
    ada.cookies.set("ibkr_session", "F".repeat(43));
    const answer = await signIn(ada);
    expect(answer).toMatchObject({ status: 303, location: "/console" });
    const first = ada.cookies.get("ibkr_session");
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(first).not.toBe("F".repeat(43));
    expect(answer.headers.getSetCookie()[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Lax$/);
    const thief = world.visit();
    thief.cookies.set("ibkr_session", first ?? "");
    await ada.get("/sign-in?again=1");
    expect(await ada.post("/sign-in", { login_name: "ada", password: PASSWORD, again: "1" })).toMatchObject({ status: 303 });
    expect(ada.cookies.get("ibkr_session")).not.toBe(first);
    expect(await thief.get("/account")).toMatchObject({ status: 303, location: "/sign-in?return_to=%2Faccount" });
  });

  it("(12) goes back where it came from, on this site only", async () => {
    for (const [asked, expected] of [
      ["/consent/abc?x=1", "/consent/abc?x=1"],
      ["https://evil.example/", "/console"],
      ["//evil.example/", "/console"],
      ["/\\evil.example/", "/console"],
      ["/%0d%0aSet-Cookie:x", "/%0d%0aSet-Cookie:x"],
      ["javascript:alert(1)", "/console"],
    ] as const) {
      const ada = world.visit();
      await ada.get(`/sign-in?return_to=${encodeURIComponent(asked)}`);
      expect(await ada.post("/sign-in", { login_name: "ada", password: PASSWORD, return_to: asked })).toMatchObject({ location: expected });
    }
  });

  it("(9, 23) refuses a form of another site, without our token, or with another browser's", async () => {
    const ada = world.visit();
    await ada.get("/sign-in");
    const right = { login_name: "ada", password: PASSWORD };
    expect(await ada.post("/sign-in", right, { Origin: "http://localhost:1", "Sec-Fetch-Site": "same-site" })).toMatchObject({
      status: 403,
    });
    expect(await ada.post("/sign-in", right, { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" })).toMatchObject({
      status: 403,
    });
    expect(await ada.post("/sign-in", right, { Origin: "null" })).toMatchObject({ status: 403 });
    expect(await ada.post("/sign-in", { ...right, form_token: "" })).toMatchObject({ status: 403 });
    const other = world.visit();
    await other.get("/sign-in");
    const refused = await ada.post("/sign-in", { ...right, form_token: other.formToken });
    expect(refused).toMatchObject({ status: 403, text: expect.stringContaining("This form was too old") });
    expect(refused.text).toContain('value="ada"');
    expect(ada.cookies.has("ibkr_session")).toBe(false);
  });

  it("sends who comes by the IP address to the name that cookies and passkeys belong to", async () => {
    const { url, app } = world.gateway;
    expect(await siteVisitor(url).get("/sign-in?return_to=%2Fconsent%2Fx")).toMatchObject({
      status: 303,
      location: `${app.publicUrl}/sign-in?return_to=%2Fconsent%2Fx`,
    });
  });

  it("says when cookies are off, and does not go round in circles", async () => {
    const ada = siteVisitor(world.gateway.app.publicUrl, { keepsCookies: false });
    expect(await signIn(ada)).toMatchObject({ status: 400, text: expect.stringContaining("sends no cookies") });
    expect(await ada.get("/account")).toMatchObject({ status: 303, location: "/sign-in?return_to=%2Faccount" });
    expect(await ada.get("/sign-in?return_to=%2Faccount")).toMatchObject({ status: 200 });
  });

  it("in one tab serves the form that another tab still shows", async () => {
    const ada = world.visit();
    await ada.get("/sign-in");
    const earlier = ada.formToken;
    await signIn(ada);
    const answer = await ada.post("/sign-in", { login_name: "ada", password: PASSWORD, return_to: "/consent/x", form_token: earlier });
    expect(answer).toMatchObject({ status: 303, location: "/consent/x" });
  });

  it("(24) ends on the server when somebody signs out", async () => {
    const ada = world.visit();
    await signIn(ada);
    const cookie = ada.cookies.get("ibkr_session") ?? "";
    await ada.get("/account");
    expect(await ada.post("/sign-out", {}, { Origin: "https://evil.example" })).toMatchObject({ status: 403 });
    expect(await ada.post("/sign-out", {})).toMatchObject({ status: 303, location: "/sign-in?done=signed_out" });
    ada.cookies.set("ibkr_session", cookie);
    expect(await ada.get("/account")).toMatchObject({ status: 303 });
  });

  it("(10, 26) shows pages that nothing may frame, keep or load from elsewhere", async () => {
    const { headers } = await world.visit().get("/sign-in");
    expect(headers.get("Content-Security-Policy")).toMatch(/default-src 'none';.*frame-ancestors 'none'/);
    expect(headers.get("Content-Security-Policy")).not.toContain("unsafe");
    expect(headers.get("X-Frame-Options")).toBe("DENY");
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("Referrer-Policy")).toBe("same-origin");
    expect(headers.get("X-Powered-By")).toBeNull();
  });
});

describe("guessing passwords", () => {
  it("(25) is slowed down for the account, for unknown names too, and says how long to wait", async () => {
    const { visit, setupPath: path, clock, gateway } = await start();
    await claim(visit(), path);
    for (const name of ["ada", "nobody"]) {
      const eve = visit();
      for (let tries = 0; tries < 10; tries += 1) {
        expect(await signIn(eve, "wrong wrong wrong", name)).toMatchObject({
          status: 403,
          text: expect.stringContaining("belong together"),
        });
      }
      const refused = await signIn(eve, PASSWORD, name);
      expect(refused).toMatchObject({ status: 429, text: expect.stringContaining("Wait 30 seconds") });
      expect(refused.headers.get("Retry-After")).toBe("30");
    }
    await clock.advance(30_000);
    expect(await signIn(visit())).toMatchObject({ status: 303 });
    const lines = gateway.logged.join("");
    expect(lines).toContain("sign_in_failed");
    expect(lines).toContain("sign_in_throttled");
    expect(lines).not.toContain("wrong wrong wrong");
    expect(lines).not.toContain(PASSWORD);
  });
});

describe("on https", () => {
  it("(24, 26) cookies carry __Host- and Secure, and the answer HSTS", async () => {
    const { gateway } = await start({ PUBLIC_URL: "https://gateway.example.com" });
    const origin = "https://gateway.example.com";
    const visitor = siteVisitor(gateway.url);
    const page = await visitor.get("/sign-in");
    expect(page.headers.getSetCookie()[0]).toMatch(/^__Host-ibkr_visitor=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    expect(page.headers.get("Strict-Transport-Security")).toMatch(/max-age=\d{7,}/);
    const path = setupPath(gateway);
    await visitor.get(path);
    const claimed = await visitor.post(path, { display_name: "Ada", login_name: "ada", password: PASSWORD }, { Origin: origin });
    expect(claimed.headers.getSetCookie()[0]).toMatch(
      /^__Host-ibkr_session=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
  });
});
