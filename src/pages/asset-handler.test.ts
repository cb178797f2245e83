import { brotliDecompressSync, gunzipSync } from "node:zlib";

import { Hono } from "hono";
import { describe, expect, it } from "vitest";

import { createAssetHandler } from "./asset-handler.ts";
import { loadAssets } from "./assets.ts";
import type { PageEnv } from "./page-env.ts";

const assets = loadAssets();
const site = new Hono<PageEnv>().get("/assets/:file", createAssetHandler(assets));

async function send(accept?: string): Promise<{ coding: string | null; body: Buffer }> {
  const response = await site.request(assets.stylesheet.path, accept === undefined ? {} : { headers: { "accept-encoding": accept } });
  expect(response.headers.get("vary")).toBe("Accept-Encoding");
  expect(response.headers.get("content-type")).toBe("text/css; charset=utf-8");
  return { coding: response.headers.get("content-encoding"), body: Buffer.from(await response.arrayBuffer()) };
}

describe("assets", () => {
  it("come in the smallest coding that the browser takes", async () => {
    const br = await send("gzip, deflate, br, zstd");
    expect(br.coding).toBe("br");
    expect(brotliDecompressSync(br.body)).toEqual(Buffer.from(assets.stylesheet.body));
    const gzip = await send("gzip");
    expect(gzip.coding).toBe("gzip");
    expect(gunzipSync(gzip.body)).toEqual(Buffer.from(assets.stylesheet.body));
  });

  it("come as they are to whoever takes no coding", async () => {
    const plain = await send();
    expect(plain.coding).toBeNull();
    expect(plain.body).toEqual(Buffer.from(assets.stylesheet.body));
  });

  it("are found by their whole name only", async () => {
    expect((await site.request("/assets/style.css")).status).toBe(404);
  });
});
