/** Takes the pictures; run by `script/screenshots`. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { type SiteTour, startTour } from "../test/support/site-tour.ts";

const FOLDER = join(import.meta.dirname, "..", "docs", "screenshots");

/** How each page is looked at. */
const VIEWS = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const;

let tour: SiteTour;

beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  for (const file of readdirSync(FOLDER)) if (file.endsWith(".png")) rmSync(join(FOLDER, file));
  tour = await startTour();
});
afterAll(() => tour.close());

it.each(Object.keys(VIEWS))("every page, %s", async (view) => {
  // The keys come from VIEWS itself.
  const options = VIEWS[view as keyof typeof VIEWS];
  for (const as of ["visitor", "person"] as const) {
    const profile = await tour.profile(as, options);
    const page = await profile.newPage();
    for (const stop of tour.stops.filter((candidate) => candidate.as === as)) {
      await page.goto(stop.url);
      await page.screenshot({ path: join(FOLDER, `${stop.name}-${view}.png`), fullPage: true, animations: "disabled" });
    }
    await profile.close();
  }
  expect(tour.stops.length).toBeGreaterThan(20);
});
