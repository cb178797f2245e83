import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { HELP_GROUPS, type HelpDocument, readHelpDocument } from "./help-document.ts";

/** Beside the sources and beside the built program alike. */
const FOLDER = join(import.meta.dirname, "..", "..", "docs", "help");

/** Reads every help page, in the order in which they are listed. Throws when one can't be read. */
export function loadHelp(folder: string = FOLDER): readonly HelpDocument[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .map((file) => readHelpDocument(file.slice(0, -".md".length), readFileSync(join(folder, file), "utf8")))
    .toSorted((a, b) => HELP_GROUPS.indexOf(a.group) - HELP_GROUPS.indexOf(b.group) || a.order - b.order);
}
