/** People in a browser: they take a set-up link, and they sign in. */
import type { Page } from "playwright-core";

/** The person that `setUpPerson` makes. */
export const PERSON = { displayName: "Ada Lovelace", loginName: "ada", password: "teal lantern 91 orbits" } as const;

/** Makes a person through a set-up or invitation link; the page's browser is signed in afterwards. */
export async function setUpPerson(page: Page, setupUrl: string, person: Record<keyof typeof PERSON, string> = PERSON): Promise<void> {
  await page.goto(setupUrl);
  await page.locator("[name=display_name]").fill(person.displayName);
  await page.locator("[name=login_name]").fill(person.loginName);
  await page.locator("[name=password]").fill(person.password);
  await Promise.all([page.waitForURL(/\/console/), page.locator("main button.primary[type=submit]").first().click()]);
}

/** Signs the page's browser in; it must stand on the sign-in page. */
export async function signIn(page: Page, person: { readonly loginName: string; readonly password: string } = PERSON): Promise<void> {
  await page.locator("[name=login_name]").fill(person.loginName);
  await page.locator("[name=password]").fill(person.password);
  await Promise.all([
    page.waitForURL((url) => url.pathname !== "/sign-in"),
    page.locator("main button.primary[type=submit]").first().click(),
  ]);
}
