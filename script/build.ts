/** Compiles `src` to `dist`, and puts the files that pages load beside the compiled ones. Run by `npm run build`. */
import { spawnSync } from "node:child_process";
import { copyFileSync, globSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const started = new Date();
rmSync(join(root, "dist"), { recursive: true, force: true });
const compiler = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (compiler.status !== 0) process.exit(compiler.status ?? 1);
for (const file of globSync("**/*.{css,js}", { cwd: join(root, "src") })) copyFileSync(join(root, "src", file), join(root, "dist", file));
const stamp = join(root, "dist/.built");
writeFileSync(stamp, "");
// A file that was saved while the compiler ran is newer than this, so the next start builds again.
utimesSync(stamp, started, started);
