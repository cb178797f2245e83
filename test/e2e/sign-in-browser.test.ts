import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { addAuthenticator, openBrowser, type TestBrowser } from "../support/browser.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { ISSUER_CLIENT, startOidcIssuer, type TestIssuer } from "../support/oidc-issuer.ts";
import { siteVisitor, type SiteVisitor } from "../support/site-visitor.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PASSWORD = "seventeen blue herons";

let browser: TestBrowser;
let issuer: TestIssuer;
let gateway: TestGateway;
let origin: string;
let owner: SiteVisitor;

beforeAll(async () => {
  issuer = await startOidcIssuer(() => [`${origin}/sign-in/oidc/sso/callback`]);
  gateway = await startGateway({
    environment: {
      SIMULATOR: "off",
      OIDC_ISSUER: issuer.url,
      OIDC_CLIENT_ID: ISSUER_CLIENT.clientId,
      OIDC_CLIENT_SECRET: ISSUER_CLIENT.clientSecret,
      OIDC_ALLOWED_DOMAINS: "example.com",
    },
  });
  origin = gateway.app.publicUrl;
  owner = siteVisitor(origin);
  const path = gateway.app.setup.kind === "link" ? new URL(gateway.app.setup.url.reveal()).pathname : "";
  await owner.get(path);
  await owner.post(path, { display_name: "Ada", login_name: "ada", password: PASSWORD });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
  await issuer.close();
});

async function signIn(page: Page): Promise<void> {
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel("User name or e-mail").fill("ada");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL(`${origin}/console`);
  await page.goto(`${origin}/account`);
}

/** Everything that the browser refused or that failed in a script. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return complaints;
}

describe("a person with a browser", () => {
  it("opens an account by invitation without any script", async () => {
    const context = await browser.context({ javaScriptEnabled: false });
    const page = await context.newPage();
    await owner.get("/account");
    const invitation = /(\/invite\/[\w-]{43})/.exec((await owner.post("/account/invitations", { note: "Bob" })).text)?.[1] ?? "";
    await page.goto(origin + invitation);
    await page.getByLabel("Your name").fill("Bob");
    await page.getByLabel("User name or e-mail").fill("bob");
    await page.getByLabel("Password").fill("password1234");
    await page.getByRole("button", { name: "Create my account" }).click();
    expect(await page.locator("#password-error").textContent()).toContain("first passwords that anybody would try");
    expect(await page.getByLabel("User name or e-mail").inputValue()).toBe("bob");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create my account" }).click();
    await page.waitForURL(`${origin}/console`);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Connections");
    await page.getByRole("button", { name: "Sign out", exact: true }).first().click();
    await page.waitForURL(`${origin}/sign-in?done=signed_out`);
    await context.close();
  });

  it("adds a passkey, signs in with it, and removes it", async () => {
    const page = await browser.page();
    const complaints = complaintsOf(page);
    await addAuthenticator(page);
    await signIn(page);
    await page.getByLabel("Name of the new passkey").fill("My laptop");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.waitForURL(`${origin}/account?done=passkey_added`);
    expect(await page.locator("#methods").textContent()).toContain("My laptop");
    await page.context().clearCookies();
    await page.goto(`${origin}/sign-in?return_to=%2Faccount%2Fdelete`);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.waitForURL(`${origin}/account/delete`);
    await page.goto(`${origin}/account`);
    expect(await page.locator("#sessions").textContent()).toContain("passkey");
    await page.locator("#methods").getByRole("button", { name: "Remove" }).click();
    await page.waitForURL(`${origin}/account?done=passkey_removed`);
    await page.context().clearCookies();
    await page.goto(`${origin}/sign-in`);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByText("That did not work").waitFor();
    expect(complaints.filter((text) => !text.includes("status of 403"))).toEqual([]);
    await page.context().close();
  });

  it("(12) goes to an issuer and back, through the strict content security policy", async () => {
    const page = await browser.page();
    const complaints = complaintsOf(page);
    issuer.person = { sub: "carol", email: "carol@example.com", email_verified: true, name: "Carol" };
    await page.goto(`${origin}/sign-in`);
    await page.getByRole("button", { name: "Sign in with single sign-on" }).click();
    await page.waitForURL(`${origin}/console`);
    await page.goto(`${origin}/account`);
    expect(await page.textContent("body")).toContain("carol@example.com");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("(9, 23) can't be signed in or out by another site's page", async () => {
    const page = await browser.page();
    await signIn(page);
    await page.goto(`${issuer.url}/.well-known/openid-configuration`);
    // Same-site cookies stay away, so that for the gateway nobody is signed in who could be signed out.
    await page.evaluate(`
      const form = document.createElement("form");
      form.method = "post";
      form.action = ${JSON.stringify(`${origin}/sign-out`)};
      document.body.append(form);
      form.submit();`);
    await page.waitForURL(`${origin}/console`);
    await page.goto(`${origin}/account`);
    expect(page.url()).toBe(`${origin}/account`);
    await page.context().close();
  });

  it.each(["light", "dark"] as const)("finds no barrier on the pages in %s, nor a sideways scroll on a phone", async (colorScheme) => {
    const context = await browser.context({ colorScheme, viewport: { width: 360, height: 740 } });
    const page = await context.newPage();
    await owner.get("/account");
    const invitation = /(\/invite\/[\w-]{43})/.exec((await owner.post("/account/invitations", { note: "Eve" })).text)?.[1] ?? "";
    const look = async (path: string) => {
      await page.goto(origin + path);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>("axe.run()");
      expect(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes[0]?.html}`)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBeLessThanOrEqual(360);
    };
    await look("/sign-in");
    await look(invitation);
    await look("/setup/unknown");
    await signIn(page);
    await look("/account");
    await look("/account/delete");
    await context.close();
  });

  it("sees where they are signed in, and signs out elsewhere", async () => {
    const [here, there] = await Promise.all([browser.page(), browser.page()]);
    await signIn(here);
    await signIn(there);
    await here.reload();
    expect(await here.locator("#sessions tbody tr").count()).toBeGreaterThanOrEqual(2);
    await here.getByRole("button", { name: "Sign out everywhere else" }).click();
    await here.waitForURL(`${origin}/account?done=sessions`);
    expect(await here.locator("#sessions tbody tr").count()).toBe(1);
    await there.goto(`${origin}/account`);
    expect(there.url()).toBe(`${origin}/sign-in?return_to=%2Faccount`);
    await Promise.all([here.context().close(), there.context().close()]);
  });
});
