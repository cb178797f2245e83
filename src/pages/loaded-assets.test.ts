import { describe, expect, it } from "vitest";

import { CONTENT_CODINGS, loadAssets } from "./assets.ts";

describe("what pages load", () => {
  const assets = loadAssets();

  it("is named by its content, before its file's last part", () => {
    expect(assets.stylesheet.path).toMatch(/^\/assets\/style\.[0-9a-f]{12}\.css$/);
    expect(assets.plot.path).toMatch(/^\/assets\/uPlot\.iife\.min\.[0-9a-f]{12}\.js$/);
    expect(assets.find(assets.plotStyle.path.replace("/assets/", ""))).toBe(assets.plotStyle);
  });

  it("is a library's whole file where it is a library's", () => {
    expect(assets.plot.body).toContain("var uPlot=");
    expect(assets.plotStyle.body).toContain(".uplot");
    for (const coding of CONTENT_CODINGS) expect(assets.plot.encoded(coding).byteLength).toBeLessThan(25_000);
  });
});
