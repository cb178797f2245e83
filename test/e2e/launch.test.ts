import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

const bin = join(import.meta.dirname, "../../bin");

/** A program that says what it got, then ends as it is told. */
const PROGRAM = `
process.on("SIGTERM", () => process.exit(7));
process.stdout.write(JSON.stringify(process.argv.slice(2)) + "\\n");
if (process.argv[2] === "wait") setInterval(() => undefined, 1000);
else process.exitCode = Number(process.argv[2]);
`;

let root: string;
const running: ChildProcess[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "launch-"));
  await cp(bin, join(root, "bin"), { recursive: true });
  await writeFile(join(root, "package.json"), '{"type":"module"}');
  await writeFile(join(root, "bin/old.js"), 'import { launch } from "./launch.js";\nawait launch("program.js", "20.0.0");\n');
  await writeFile(join(root, "bin/new.js"), 'import { launch } from "./launch.js";\nawait launch("program.js");\n');
});

afterEach(async () => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
  await rm(root, { recursive: true });
});

interface Launched {
  readonly child: ChildProcess;
  readonly firstOutput: Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>;
}

function start(launcher: string, ...args: readonly string[]): Launched {
  const child = spawn(process.execPath, [join(root, "bin", launcher), ...args], { stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  const firstOutput = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<{ code: number | null; output: string; errors: string }>();
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    firstOutput.resolve();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  child.on("close", (code) => ended.resolve({ code, output, errors }));
  return { child, firstOutput: firstOutput.promise, ended: ended.promise };
}

async function build(): Promise<void> {
  await mkdir(join(root, "dist"));
  await writeFile(join(root, "dist/program.js"), PROGRAM);
}

async function installNode(): Promise<void> {
  await mkdir(join(root, "node_modules/.bin"), { recursive: true });
  await symlink(process.execPath, join(root, "node_modules/.bin/node"));
}

describe("a launcher", () => {
  test.each([["ibkr-simulator.js"], ["ibkr-gateway.js"]])("%s says in one line that the program is not built", async (launcher) => {
    const name = launcher.replace(".js", "");
    expect(await start(launcher).ended).toEqual({
      code: 1,
      output: "",
      errors: `${name}: it is not built yet: run \`npm run build\` in ${root}\n`,
    });
  });

  test("runs the program itself where its Node.js is new enough", async () => {
    await build();
    expect(await start("new.js", "3", "--x y").ended).toEqual({ code: 3, output: '["3","--x y"]\n', errors: "" });
  });

  test("hands over to the installed Node.js where its own is too old, with arguments, streams and exit code", async () => {
    await build();
    await installNode();
    expect(await start("old.js", "5", "a b").ended).toEqual({ code: 5, output: '["5","a b"]\n', errors: "" });
  });

  test("passes signals on", async () => {
    await build();
    await installNode();
    const { child, firstOutput, ended } = start("old.js", "wait");
    await firstOutput;
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 7 });
  });

  test("says in one line that no Node.js is new enough", async () => {
    await build();
    expect(await start("old.js").ended).toEqual({
      code: 1,
      output: "",
      errors: `old: Node.js 24 or newer is needed, this is 20.0.0: run \`npm install\` in ${root}, or install it\n`,
    });
  });
});
