/** A person in the console: signed up by the set-up link, in a real browser. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Page } from "playwright-core";
import { expect } from "vitest";

import type { TestGateway } from "./gateway.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PASSWORD = "seventeen blue herons";

/** Makes the first account by the set-up link that the gateway printed, as a new person does. */
export async function signUp(page: Page, gateway: TestGateway, name = "Ada"): Promise<void> {
  const { setup } = gateway.app;
  if (setup.kind !== "link") throw new Error("somebody has set this gateway up already");
  await page.goto(setup.url.reveal());
  await fillPerson(page, name);
}

/** Makes a further account by an invitation of the one who is signed in on `owner`. */
export async function invite(owner: Page, page: Page, name: string): Promise<void> {
  const origin = new URL(owner.url()).origin;
  await owner.goto(`${origin}/account`);
  await owner.getByLabel("For whom").fill(name);
  await owner.getByRole("button", { name: "Make a link" }).click();
  const link = await owner.locator("#new-invitation").textContent();
  await page.goto(link?.trim() ?? "");
  await fillPerson(page, name);
}

/** Signs in somebody who has an account. */
export async function signIn(page: Page, gateway: TestGateway, name = "Ada"): Promise<void> {
  await page.goto(`${gateway.app.publicUrl}/sign-in`);
  await page.getByLabel("User name or e-mail").fill(name.toLowerCase());
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

async function fillPerson(page: Page, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("User name or e-mail").fill(name.toLowerCase());
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create my account" }).click();
  await page.waitForURL("**/console");
}

/** Everything that the browser refused or that failed in a script, from now on: a page that obeys its own policy has none. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    // What a page answers with 4xx on purpose is no complaint of the browser about the page.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return complaints;
}

/** Checks the page as it is shown by axe, in light and in dark: nothing serious, and nothing wider than the window. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    // By the debugger, which the page's policy doesn't bind.
    const violations = await page.evaluate<string[]>(
      `${AXE};axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`,
    );
    expect(violations, `${page.url()} in ${colorScheme}`).toEqual([]);
  }
  const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  expect(overflow, `${page.url()} is wider than its window`).toBeLessThanOrEqual(0);
}
