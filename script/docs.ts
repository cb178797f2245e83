/** Writes the generated pages of docs/reference. Run by `script/docs`; `test/reference.test.ts` checks that they are up to date. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { referencePages } from "./reference-pages.ts";

const folder = join(import.meta.dirname, "../docs/reference");
for (const [name, text] of Object.entries(await referencePages())) writeFileSync(join(folder, name), text);
