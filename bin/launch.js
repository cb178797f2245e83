import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

// Plain JavaScript that any Node.js since 14 understands: it runs before the pinned one is found.

const NEEDED_MAJOR = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Runs a built program of this package under Node.js 24 or newer: the running one, or the pinned one beside our
 * dependencies. `program` is a path under `dist`. Says in one line what to do when either is missing.
 */
export function launch(program, running = process.versions.node) {
  const file = join(root, "dist", program);
  if (!existsSync(file)) return stop(`it is not built yet: run \`npm run build\` in ${root}`);
  if (majorOf(running) >= NEEDED_MAJOR) return import(pathToFileURL(file).href);
  const node = findNode();
  if (node === undefined)
    return stop(`Node.js ${NEEDED_MAJOR} or newer is needed, this is ${running}: run \`npm install\` in ${root}, or install it`);
  return runUnder(node, file);
}

function stop(reason) {
  process.stderr.write(`${basename(process.argv[1] || "ibkr-gateway", ".js")}: ${reason}\n`);
  process.exitCode = 1;
}

function majorOf(version) {
  return Number(version.split(".")[0]);
}

/** The pinned Node.js: beside our own dependencies, or beside us where we are somebody's dependency. */
function findNode() {
  const platform = `node-${process.platform}-${process.arch}`;
  for (const modules of [join(root, "node_modules"), dirname(root)]) {
    for (const node of [join(modules, platform, "bin", "node"), join(modules, ".bin", "node")]) {
      if (!existsSync(node)) continue;
      const asked = spawnSync(node, ["-p", "process.versions.node"], { encoding: "utf8" });
      if (asked.status === 0 && majorOf(asked.stdout) >= NEEDED_MAJOR) return node;
    }
  }
  return undefined;
}

/** Becomes the program as far as its caller can see: same streams, signals and exit. */
function runUnder(node, file) {
  const child = spawn(node, [file, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child by itself.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => stop(`can't start ${node}: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
