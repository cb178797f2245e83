/** Setting up connections to IBKR in the console, against simulators in IBKR's and the Client Portal Gateway's place. */
import { constants, publicEncrypt } from "node:crypto";
import { readFile } from "node:fs/promises";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemRandom } from "../../src/lib/random.ts";
import { createSimulator, type Simulator } from "../../src/simulator/index.ts";
import { standardPrime } from "../../src/upstreams/diffie-hellman.ts";
import { makePrivateKeyPem, publicKeyPem } from "../../src/upstreams/oauth-keys.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { complaintsOf, expectAccessible } from "../support/console-visit.ts";
import { startGatewayForPeople } from "../support/consent-walk.ts";
import { setUpPerson } from "../support/person.ts";

/** In IBKR's place: it knows the consumers of its own only. */
let stranger: Simulator;
/** In IBKR's place once it knows the keys that a person has from before. */
let ibkr: Simulator | undefined;
let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let browser: TestBrowser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  stranger = await createSimulator({ gatewayPort: 0 });
  const ibkrBaseUrls = {
    get automatic() {
      return (ibkr ?? stranger).baseUrl;
    },
  };
  gateway = await startGatewayForPeople({ deps: { ibkrBaseUrls } });
  browser = await openBrowser();
  page = await browser.page();
  complaints = complaintsOf(page);
  await setUpPerson(page, gateway.setupUrl);
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
  await stranger.close();
  await ibkr?.close();
});

const press = (name: string): Promise<void> => page.getByRole("main").getByRole("button", { name, exact: true }).first().click();
const heading = (name: string) => page.getByRole("heading", { name, exact: true });

/** Where a person came from who was asked by a host. */
const CONSENT = "/consent/3f9Zx_waiting-for-a-connection";

/** What IBKR's page does with the encryption key's file: makes a secret and shows it encrypted. */
function secretFor(publicPem: string): string {
  return publicEncrypt({ key: publicPem, padding: constants.RSA_PKCS1_PADDING }, systemRandom.bytes(32)).toString("base64");
}

/** Takes a file as the browser saves it. */
async function download(name: string): Promise<string> {
  const [taken] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: `Download ${name}` }).click()]);
  expect(taken.suggestedFilename()).toBe(name);
  return await readFile(await taken.path(), "utf8");
}

describe("a paper account at IBKR", () => {
  let encryptionKey: string;

  it("is set up step by step, with public files only to take along", async () => {
    // As a host's consent request sends people who have no connection yet.
    await page.goto(`${gateway.url}/console/connections/new?return_to=${encodeURIComponent(CONSENT)}`);
    await page.getByRole("radio", { name: /Interactive Brokers.*Paper/ }).check();
    await page.getByLabel("Name").fill("My paper account");
    await press("Continue");
    await heading("Take three files").waitFor();
    await expectAccessible(page);
    encryptionKey = await download("public_encryption.pem");
    const all = [encryptionKey, await download("public_signature.pem"), await download("dhparam.pem")].join("\n");
    expect(all).toContain("BEGIN PUBLIC KEY");
    expect(all).toContain("BEGIN DH PARAMETERS");
    expect(all + (await page.content())).not.toContain("PRIVATE KEY");
    await press("Save and continue");
    await heading("Give them to IBKR").waitFor();
    expect(complaints).toEqual([]);
  });

  it("goes on where it was left, in another browser too", async () => {
    await page.getByLabel("Consumer key").fill("abcdefghi");
    await press("Save and finish later");
    await page.getByText("What you entered is kept.").waitFor();
    await expectAccessible(page);
    const elsewhere = await browser.context({ storageState: await page.context().storageState() });
    page = await elsewhere.newPage();
    await page.goto(`${gateway.url}/console`);
    await page.getByRole("link", { name: "Continue set-up" }).click();
    await heading("Give them to IBKR").waitFor();
    expect(await page.getByLabel("Consumer key").inputValue()).toBe("ABCDEFGHI");
  });

  it("says beside each field what is wrong, keeps what was typed, and sends no secret back", async () => {
    await page.getByLabel("Consumer key").fill("ABC");
    await page.locator("#accessToken").fill("0f1e2d3c4b5a69788796");
    await page.locator("#accessTokenSecret").fill("not base64 at all!");
    await press("Save and continue");
    expect(await page.locator("#consumerKey-error").textContent()).toContain("nine letters");
    expect(await page.locator("#consumerKey").inputValue()).toBe("ABC");
    expect(await page.locator("#accessTokenSecret-error").count()).toBe(1);
    expect(await page.content()).not.toContain("0f1e2d3c4b5a69788796");
    expect(await page.getByText("kept", { exact: false }).first().isVisible()).toBe(true);
    await expectAccessible(page);
  });

  it("is made with a key that is shown once, and tested at once", async () => {
    const secret = secretFor(encryptionKey);
    await page.locator("#consumerKey").fill("abc def ghi");
    await page.locator("#accessTokenSecret").fill(` ${secret.slice(0, 60)}\r\n${secret.slice(60)} `);
    await press("Save and continue");
    await heading("Wait for IBKR's night").waitFor();
    await page.getByText("At the latest").waitFor();
    await expectAccessible(page);
    await press("Finish and test");
    await page.waitForURL(/\/created/);
    expect(await page.locator("#api-key").textContent()).toMatch(/ibkr_[\w-]{43}/);
    // Although the set-up was left and found again without it.
    expect(await page.getByRole("link", { name: "Continue", exact: true }).getAttribute("href")).toBe(CONSENT);
    await page.locator("#state").getByText("Tested: it doesn't work").waitFor();
    expect(await page.locator("#state").textContent()).toMatch(/OAuth consumer.*down/s);
    await expectAccessible(page);
    await page.goto(`${gateway.url}/console`);
    expect(await page.getByText("Set-ups under way").count()).toBe(0);
    expect(await page.getByRole("article", { name: "My paper account" }).textContent()).toContain("Paper");
  });

  it("gets other credentials, keys of the person's own, and keeps its name and its keys", async () => {
    const [privateSignaturePem, privateEncryptionPem] = await Promise.all([makePrivateKeyPem(), makePrivateKeyPem()]);
    const accessTokenSecret = secretFor(publicKeyPem(privateEncryptionPem) ?? "");
    const consumer = { consumerKey: "ZZZYYYXXX", accessToken: "00112233445566778899", accessTokenSecret };
    const credentials = { ...consumer, privateSignaturePem, privateEncryptionPem, dhPrime: standardPrime() };
    ibkr = await createSimulator({ credentials, pacing: { endpoints: false } });
    await page.getByRole("article", { name: "My paper account" }).getByRole("link", { name: "My paper account", exact: true }).click();
    await page.getByRole("button", { name: "Change credentials" }).click();
    await page.getByText("New credentials for My paper account").waitFor();
    await page.getByText("I have keys at IBKR already").click();
    await page.locator("#privateSignaturePem").fill("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
    await press("Save and continue");
    expect(await page.locator("#privateSignaturePem-error").count()).toBe(1);
    await expectAccessible(page);
    await page.locator("#privateSignaturePem").fill(privateSignaturePem.replaceAll("\n", "\r\n"));
    await page.locator("#privateEncryptionPem").fill(privateEncryptionPem);
    await page.locator("#dhPrime").fill(credentials.dhPrime);
    await press("Save and continue");
    for (const [field, value] of Object.entries(consumer)) await page.locator(`#${field}`).fill(value);
    await press("Save and continue");
    await press("Finish and test");
    await page.getByText("The new credentials are in use.").waitFor();
    await page.locator("#state").getByText("Tested: it works").waitFor();
    expect(await page.locator("#use").textContent()).toContain("1 API key");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("Paper");
  });
});

describe("a Client Portal Gateway", () => {
  it("at an address that nobody may reach, or where nobody answers, is not confirmed", async () => {
    await page.goto(`${gateway.url}/console/connections/new`);
    await page.getByRole("radio", { name: /Client Portal Gateway.*Paper/ }).check();
    await page.getByLabel("Name").fill("My gateway");
    await press("Continue");
    await page.getByLabel("Address").fill("https://169.254.169.254");
    await press("Save and continue");
    expect(await page.locator("#baseUrl-error").count()).toBe(1);
    expect(await page.getByLabel("Address").inputValue()).toBe("https://169.254.169.254");
    await page.getByLabel("Address").fill("https://127.0.0.1:9");
    await press("Save and continue");
    await heading("Is this your gateway?").waitFor();
    await page.getByText("The certificate could not be read").waitFor();
    await press("Finish and test");
    expect(await page.locator("#fingerprint-error").textContent()).toContain("needed");
    await expectAccessible(page);
    await page.goto(`${gateway.url}/console`);
    await page.getByRole("button", { name: "Discard My gateway" }).click();
    await page.getByText("The set-up is discarded.").waitFor();
  });

  it("is trusted by its certificate once the person has compared it", async () => {
    await page.goto(`${gateway.url}/console/connections/new`);
    await page.getByRole("radio", { name: /Client Portal Gateway.*Paper/ }).check();
    await page.getByLabel("Name").fill("My gateway");
    await press("Continue");
    await page.getByLabel("Address").fill(stranger.gateway?.url ?? "");
    await press("Save and continue");
    await heading("Is this your gateway?").waitFor();
    expect(await page.locator(".fingerprint").textContent()).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    await expectAccessible(page);
    await press("Finish and test");
    expect(await page.locator("#fingerprint-error").textContent()).toContain("needed");
    await page.getByLabel("Yes, this is my gateway's certificate").check();
    await press("Finish and test");
    await page.waitForURL(/\/created/);
    await page
      .locator("#state")
      .getByText(/^Tested:/)
      .waitFor();
    await expectAccessible(page);
  });

  it("is warned of where another connection goes to the same login", async () => {
    await page.goto(`${gateway.url}/console/connections/new`);
    await page.getByRole("radio", { name: /Client Portal Gateway.*Paper/ }).check();
    await page.getByLabel("Name").fill("My gateway again");
    await press("Continue");
    await page.getByLabel("Address").fill(stranger.gateway?.url ?? "");
    await press("Save and continue");
    await page.getByLabel("Yes, this is my gateway's certificate").check();
    await press("Finish and test");
    await page.waitForURL(/\/created/);
    await page.getByText("My gateway: the same login at IBKR.").waitFor();
    await expectAccessible(page);
  });
});
