import { type Assets, CONTENT_CODINGS } from "./assets.ts";
import type { PageRequest } from "./page-env.ts";

/** A year: the address changes with the content. */
const CACHING = "public, max-age=31536000, immutable";

/** Answers `/assets/:file`. */
export function createAssetHandler(assets: Assets): (c: PageRequest) => Response | Promise<Response> {
  return (c) => {
    const asset = assets.find(c.req.param("file") ?? "");
    if (asset === undefined) return c.notFound();
    const headers = { "Content-Type": asset.contentType, "Cache-Control": CACHING, Vary: "Accept-Encoding" };
    const accepted = new Set((c.req.header("accept-encoding") ?? "").split(",").map((coding) => coding.trim().toLowerCase()));
    const coding = CONTENT_CODINGS.find((candidate) => accepted.has(candidate));
    if (coding === undefined) return c.body(asset.body, 200, headers);
    return c.body(asset.encoded(coding), 200, { ...headers, "Content-Encoding": coding });
  };
}
