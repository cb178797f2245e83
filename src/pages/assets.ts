import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { sha256Hex } from "../lib/secret.ts";

/** One file that pages load from us, named by its content. */
export interface Asset {
  /** `/assets/<name>.<hash>.<extension>`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
  /** The body by content coding, the smallest first; compressed once. Nothing secret stands in an asset. */
  readonly encoded: readonly { readonly coding: "br" | "gzip"; readonly body: Buffer<ArrayBuffer> }[];
}

/** The files that pages load. */
export interface Assets {
  readonly stylesheet: Asset;
  readonly script: Asset;
  /** Signs in with passkeys; only the pages that offer that load it. */
  readonly passkeys: Asset;
  /** Keeps parts of a page current; only live pages load it. */
  readonly live: Asset;
  /** Finds an asset by the last part of its path. */
  find(fileName: string): Asset | undefined;
}

/** Under this stand all assets. */
const ASSETS_PATH = "/assets";

/** Enough of a hash to tell versions of a file apart. */
const HASH_LENGTH = 12;

/** Reads the stylesheet and the scripts that stand beside this file. Throws when one is missing, as after a broken build. */
export function loadAssets(): Assets {
  const stylesheet = load("style.css", "text/css; charset=utf-8");
  const script = load("page.js", "text/javascript; charset=utf-8");
  const passkeys = load("passkeys.js", "text/javascript; charset=utf-8");
  const live = load("live.js", "text/javascript; charset=utf-8");
  const byPath = new Map([stylesheet, script, passkeys, live].map((asset) => [asset.path, asset]));
  return { stylesheet, script, passkeys, live, find: (fileName) => byPath.get(`${ASSETS_PATH}/${fileName}`) };
}

function load(file: string, contentType: string): Asset {
  const body = readFileSync(join(import.meta.dirname, file), "utf8");
  return {
    path: `${ASSETS_PATH}/${file.replace(".", `.${sha256Hex(body).slice(0, HASH_LENGTH)}.`)}`,
    contentType,
    body,
    encoded: [
      { coding: "br", body: brotliCompressSync(body) },
      { coding: "gzip", body: gzipSync(body, { level: 9 }) },
    ],
  };
}
