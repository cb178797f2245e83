/** Compiles `src` to `dist`. Run by `npm run build`. */
import { spawnSync } from "node:child_process";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const started = new Date();
rmSync(join(root, "dist"), { recursive: true, force: true });
const compiler = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (compiler.status !== 0) process.exit(compiler.status ?? 1);
const stamp = join(root, "dist/.built");
writeFileSync(stamp, "");
// A file that was saved while the compiler ran is newer than this, so the next start builds again.
utimesSync(stamp, started, started);
