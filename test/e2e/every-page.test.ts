/** What holds of every page: no barrier, no broken policy, no sideways scrolling, small, and there without script. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";

import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type SiteTour, startTour, type TourStop } from "../support/site-tour.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Page, style and scripts together, compressed. */
const MAX_PAGE_BYTES = 60 * 1024;

/** How pages are looked at; in the dark only the colours differ. */
const VIEWS = {
  "on a wide screen": { rules: "axe.run()", options: { colorScheme: "light", viewport: { width: 1280, height: 800 } } },
  "in the dark": {
    rules: 'axe.run({ runOnly: ["color-contrast", "link-in-text-block"] })',
    options: { colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  },
  "on a phone": { rules: "axe.run()", options: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true } },
} as const;

let tour: SiteTour;

beforeAll(async () => {
  tour = await startTour({ hasOpenOrders: true });
});
afterAll(() => tour.close());

/** Help pages are of one pattern: these have all of its parts. */
const HELP_SAMPLE = new Set(["help-mcp", "help-errors", "help-troubleshooting"]);

/** Goes to each stop in a profile of its own kind and lets `look` see it. */
async function visitAll(options: object, look: (page: Page, stop: TourStop, broken: readonly string[]) => Promise<void>): Promise<void> {
  for (const as of ["visitor", "person"] as const) {
    const profile = await tour.profile(as, options);
    const page = await profile.newPage();
    let broken: string[] = [];
    page.on("console", (message) => {
      if (/content security policy|refused to/i.test(message.text())) broken.push(message.text());
    });
    page.on("pageerror", (error) => broken.push(error.message));
    for (const stop of tour.stops.filter((candidate) => candidate.as === as)) {
      if (stop.name.startsWith("help-") && !HELP_SAMPLE.has(stop.name)) continue;
      broken = [];
      await page.goto(stop.url);
      await look(page, stop, broken);
    }
    await profile.close();
  }
}

describe("every page", () => {
  it.each(Object.entries(VIEWS))(
    "has no serious barrier, breaks no policy and never scrolls sideways, %s",
    async (_view, { rules, options }) => {
      const faults: string[] = [];
      await visitAll(options, async (page, stop, broken) => {
        await page.evaluate(AXE);
        // axe-core's own call in the page that it was put into.
        const { violations, passes } = await page.evaluate<AxeResults>(rules);
        expect(passes.length).toBeGreaterThan(0);
        for (const { id, impact, nodes } of violations)
          if (impact === "serious" || impact === "critical") faults.push(`${stop.name}: ${id} at ${nodes[0]?.target.join(" ")}`);
        const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if (overflow > 0) faults.push(`${stop.name}: ${overflow} px wider than the screen`);
        faults.push(...broken.map((text) => `${stop.name}: ${text}`));
      });
      expect(faults).toEqual([]);
    },
    300_000,
  );

  it("shows its heading and its links without script", async () => {
    await visitAll({ javaScriptEnabled: false }, async (page, stop) => {
      expect([stop.name, await page.locator("h1").count()]).toEqual([stop.name, 1]);
      expect(await page.locator(".page-footer").textContent()).toContain("Not affiliated with Interactive Brokers.");
    });
  }, 120_000);

  it("is small: page, style and scripts compressed", async () => {
    const sizes: (readonly [name: string, bytes: number])[] = [];
    await visitAll({}, async (page, stop) => {
      const assets = await page
        .locator("link[rel=stylesheet], script[src]")
        .evaluateAll((elements) => elements.map((element) => element.getAttribute("href") ?? element.getAttribute("src") ?? ""));
      const texts = await Promise.all(assets.map(async (path) => (await fetch(tour.gateway.url + path)).text()));
      const bytes = [await page.content(), ...texts].reduce((sum, text) => sum + gzipSync(text).byteLength, 0);
      sizes.push([stop.name, bytes]);
    });
    const [largest] = sizes.toSorted(([, a], [, b]) => b - a);
    expect(largest?.[1]).toBeLessThan(MAX_PAGE_BYTES);
  }, 120_000);
});
