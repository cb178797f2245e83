import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { sha256Hex } from "../lib/secret.ts";

/** Content codings that assets are sent in, the smallest first. */
export const CONTENT_CODINGS = ["br", "gzip"] as const;

type ContentCoding = (typeof CONTENT_CODINGS)[number];

/** One file that pages load from us, named by its content. */
export interface Asset {
  /** `/assets/<name>.<hash>.<extension>`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
  /** The body in a content coding, compressed at its first use. Nothing secret stands in an asset. */
  encoded(coding: ContentCoding): Buffer<ArrayBuffer>;
}

/** The files that pages load. */
export interface Assets {
  readonly stylesheet: Asset;
  readonly script: Asset;
  /** Signs in with passkeys; only the pages that offer that load it. */
  readonly passkeys: Asset;
  /** Keeps parts of a page current; only live pages load it. */
  readonly live: Asset;
  /** uPlot, its style, and what draws charts with it; only pages with a chart load them. */
  readonly plot: Asset;
  readonly plotStyle: Asset;
  readonly chart: Asset;
  /** Finds an asset by the last part of its path. */
  find(fileName: string): Asset | undefined;
}

/** Under this stand all assets. */
const ASSETS_PATH = "/assets";

/** The highest level takes a tenth of a second for the largest asset, and saves two percent more. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

/** Enough of a hash to tell versions of a file apart. */
const HASH_LENGTH = 12;

const STYLE = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";

/** Reads the stylesheet and the scripts that stand beside this file, and those of uPlot. Throws when one is missing, as after a broken build. */
export function loadAssets(): Assets {
  const own = (file: string, contentType: string): Asset => load(join(import.meta.dirname, file), contentType);
  const plot = createRequire(import.meta.url).resolve("uplot/dist/uPlot.iife.min.js");
  const assets = {
    stylesheet: own("style.css", STYLE),
    script: own("page.js", SCRIPT),
    passkeys: own("passkeys.js", SCRIPT),
    live: own("live.js", SCRIPT),
    plot: load(plot, SCRIPT),
    plotStyle: load(join(plot, "../uPlot.min.css"), STYLE),
    chart: own("chart.js", SCRIPT),
  };
  const byPath = new Map(Object.values(assets).map((asset) => [asset.path, asset]));
  return { ...assets, find: (fileName) => byPath.get(`${ASSETS_PATH}/${fileName}`) };
}

function load(path: string, contentType: string): Asset {
  const body = readFileSync(path, "utf8");
  const encoded = new Map<ContentCoding, Buffer<ArrayBuffer>>();
  return {
    // Before the last part of its name: `uPlot.iife.min.<hash>.js`.
    path: `${ASSETS_PATH}/${basename(path).replace(/(?=\.\w+$)/, `.${sha256Hex(body).slice(0, HASH_LENGTH)}`)}`,
    contentType,
    body,
    encoded: (coding) => {
      const known = encoded.get(coding) ?? (coding === "br" ? brotliCompressSync(body, BROTLI) : gzipSync(body));
      encoded.set(coding, known);
      return known;
    },
  };
}
