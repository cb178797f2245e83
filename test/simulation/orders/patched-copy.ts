import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { type Rule, RULE_PATCHES } from "./rule-patches.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
/** What the simulation runs on. */
const COPIED = ["src", "test/simulation/orders", "test/support/silent-log.ts", "package.json"];

/** A copy of the code without one rule. */
export interface PatchedCopy {
  readonly folder: string;
  remove(): void;
}

/** Copies the code and takes a rule out of the copy. Throws where the code is no longer as the patch expects. */
export function copyWithout(rule: Rule): PatchedCopy {
  const folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-without-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const path of COPIED) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    for (const { file, find, replace } of RULE_PATCHES[rule]) {
      const text = readFileSync(join(folder, file), "utf8");
      const parts = text.split(find);
      if (parts.length !== 2) throw new Error(`the patch of ${rule} fits ${file} ${parts.length - 1} times`);
      writeFileSync(join(folder, file), parts.join(replace));
    }
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
