/** What tests of the console's pages share. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Page } from "playwright-core";
import { expect } from "vitest";

import { insertConnection } from "../../src/storage/connections.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { TestGateway } from "./gateway.ts";
import { setUpPerson } from "./person.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Makes the first account by the set-up link that the gateway printed, as a new person does. */
export async function signUp(page: Page, gateway: TestGateway): Promise<void> {
  const { setup } = gateway.app;
  if (setup.kind !== "link") throw new Error("somebody has set this gateway up already");
  await setUpPerson(page, setup.url.reveal());
}

/** Makes a further account by an invitation of the one who is signed in on `owner`. */
export async function invite(owner: Page, page: Page, name: string): Promise<void> {
  await owner.goto(`${new URL(owner.url()).origin}/account`);
  await owner.getByLabel("For whom").fill(name);
  await owner.getByRole("button", { name: "Make a link" }).click();
  const link = await owner.locator("#new-invitation").textContent();
  await setUpPerson(page, link?.trim() ?? "", { displayName: name, loginName: name.toLowerCase(), password: "seventeen blue herons" });
}

/** Everything that the browser refused or that failed in a script, from now on: a page that obeys its own policy has none. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    // What a page answers with 4xx on purpose is no complaint about the page.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return complaints;
}

/** Checks the page as it is shown, in light and in dark: axe finds nothing serious, and nothing is wider than the window. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    // By the debugger, which the page's policy doesn't bind.
    await page.evaluate(AXE);
    const violations = await page.evaluate<string[]>(
      `axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`,
    );
    expect(violations, `${page.url()} in ${colorScheme}`).toEqual([]);
  }
  const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  expect(overflow, `${page.url()} is wider than its window`).toBeLessThanOrEqual(0);
}

/** Stores a connection as it is in a state that would be hard to come by, of the only person who isn't the demo. */
export async function storeConnection(storage: Storage, columns: Partial<Parameters<typeof insertConnection>[1]>): Promise<string> {
  const { user_id: userId } = await storage.db
    .selectFrom("local_accounts")
    .select("user_id")
    .orderBy("created_at")
    .executeTakeFirstOrThrow();
  const id = columns.id ?? "con_000000000000000000000001";
  await insertConnection(storage, {
    id,
    user_id: userId,
    kind: "ibkr-oauth",
    label: "Stored",
    mode: "live",
    settings: JSON.stringify({ consumerKey: "ABCDEFGHI", region: "automatic" }),
    sealed_secrets: null,
    is_demo: 0,
    created_at: 1_795_000_000_000,
    ...columns,
  });
  return id;
}
