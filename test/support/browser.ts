/** Real Chromium for tests of pages. */
import { existsSync } from "node:fs";

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

import { withRealClock } from "./shifted-clock.ts";

/** A browser that runs for one test file. */
export interface TestBrowser {
  /** A new empty profile, as another person's browser would be. */
  context(options?: Parameters<Browser["newContext"]>[0]): Promise<BrowserContext>;
  /** A page in a new empty profile. */
  page(): Promise<Page>;
  close(): Promise<void>;
}

/** Every wait in a page; generous for a busy machine. */
const WAIT_LIMIT_MS = 30_000;
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts Chromium: the one that `CHROMIUM` names, or the one that the system's packages have installed. */
export async function openBrowser(): Promise<TestBrowser> {
  const given = process.env["CHROMIUM"];
  const executablePath = [...(given === undefined ? [] : [given]), ...PLACES].find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error("these tests need Chromium: install it (Debian, Ubuntu: apt-get install chromium), or name it in CHROMIUM");
  }
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    // Chromium hangs under a shifted clock.
    env: withRealClock(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const context: TestBrowser["context"] = async (options) => {
    const opened = await browser.newContext(options);
    opened.setDefaultTimeout(WAIT_LIMIT_MS);
    return opened;
  };
  return { context, page: async () => await (await context()).newPage(), close: () => browser.close() };
}

/** Gives a page an authenticator of its own, with a person who always agrees. Answers a function that takes it away. */
export async function addAuthenticator(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return async () => {
    await session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
  };
}
