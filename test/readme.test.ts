/** The commands in the README do what it says, on this checkout. */
import { spawn } from "node:child_process";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { temporaryFolder } from "./support/built-gateway.ts";
import { withRealClock } from "./support/shifted-clock.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const dataDir = temporaryFolder();

let port: number;
let server: ReturnType<typeof spawn>;
let output = "";

/** The indented command blocks of the README, continuation lines joined. */
const commands = [...README.matchAll(/(?:^ {4}\S.*\n(?: {6,}\S.*\n)*)+/gm)].flatMap(([block]) =>
  block
    .replaceAll(/\\\n\s+/g, "")
    .split("\n")
    .flatMap((line) => (line.trim() === "" ? [] : [line.trim()])),
);
const commandWith = (words: string): string => {
  const found = commands.find((command) => command.includes(words));
  if (found === undefined) throw new Error(`the README has no command with ${words}`);
  return found;
};

beforeAll(async () => {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, "127.0.0.1", resolve));
  ({ port } = probe.address() as AddressInfo);
  await new Promise((resolve) => probe.close(resolve));
  server = spawn("bash", [commandWith("script/server")], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(port), DATA_DIR: dataDir },
    detached: true,
  });
  await new Promise<void>((resolve, reject) => {
    server.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("listening on")) resolve();
    });
    server.on("exit", (code) => reject(new Error(`script/server ended with ${code}`)));
  });
});
afterAll(() => {
  if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, "SIGTERM");
});

/** Runs a README command as a reader would, with the printed key and this server's port. */
async function asReader(command: string, key: string): Promise<string> {
  const filled = command.replaceAll("ibkr_...", key).replaceAll("localhost:8080", `localhost:${port}`);
  const { stdout } = await run("bash", ["-c", filled], { cwd: ROOT, env: { ...process.env, DATA_DIR: dataDir } });
  return stdout;
}

const printedKey = (): string => /\bibkr_[\w-]{20,}/.exec(output)?.[0] ?? "";

describe("the README's commands", () => {
  it("list the tools and quote by curl", async () => {
    const listed = JSON.parse(await asReader(commandWith('"method":"tools/list"'), printedKey())) as {
      result: { tools: { name: string }[] };
    };
    expect(listed.result.tools).toHaveLength(18);
    for (const { name } of listed.result.tools) expect(README, name).toContain(`\`${name}\``);
    const quoted = JSON.parse(await asReader(commandWith('"get_quote"'), printedKey())) as { result: { structuredContent: object } };
    expect(quoted.result.structuredContent).toMatchObject({ symbol: "AAPL", mode: "simulated" });
  });

  it("make, list and revoke keys", async () => {
    const key = (await asReader(commandWith("key create"), "")).trim();
    expect(key).toMatch(/^ibkr_[\w-]{43}$/);
    const row = (await asReader(commandWith("key list"), "")).split("\n").find((line) => line.includes("my script"));
    const revoked = await asReader(commandWith("key revoke").replace("<id>", row?.split(/\s+/)[0] ?? ""), "");
    expect(revoked).toContain("is revoked");
    expect(await asReader(commandWith('"method":"tools/list"'), key)).toContain("error");
  });

  it("run the simulator by itself and write its credentials", async () => {
    const folder = join(temporaryFolder(), "simulator-credentials");
    const command = commandWith("script/ibkr-simulator").replace("8765", "0").replace("./simulator-credentials", folder);
    const simulator = spawn("bash", ["-c", command], { cwd: ROOT, detached: true });
    await new Promise<void>((resolve, reject) => {
      simulator.stdout.on("data", (chunk: Buffer) => void (chunk.toString().includes("http://127.0.0.1:") && resolve()));
      simulator.on("exit", (code) => reject(new Error(`ended with ${code}`)));
    });
    const files = [
      "consumer_key",
      "access_token",
      "access_token_secret",
      "dh_prime",
      "private_signature.pem",
      "private_encryption.pem",
      "accounts",
    ];
    expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
    if (simulator.pid !== undefined) process.kill(-simulator.pid, "SIGTERM");
  });

  it("run the tests as if another date were today", { timeout: 180_000 }, async () => {
    const report = join(temporaryFolder(), "report.json");
    const command = `${commandWith("script/test --date")} test/shifted-clock.test.ts --reporter=json --outputFile=${report}`;
    const { stdout } = await run("bash", ["-c", command], { cwd: ROOT, env: withRealClock() });
    const { startTime } = JSON.parse(readFileSync(report, "utf8")) as { startTime: number };
    expect(new Date(startTime).toISOString()).toMatch(/^2027-03-14T12:0/);
    expect(stdout).toMatch(/\n2 passed, 0 failed\n$/);
  });

  it.each(["", "tomorrow", "2027-02-30", "2027-03-14 24:30", "2027-3-14", "@1"])("take no date such as %j", async (date) => {
    const refused = run("script/test", ["--date", date], { cwd: ROOT });
    await expect(refused).rejects.toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/^--date takes [^\n]+\n$/) });
  });

  it("name scripts that exist", () => {
    const scripts = [...README.matchAll(/\bscript\/[\w-]+/g)].map(([script]) => script);
    expect(scripts.filter((script) => !existsSync(join(ROOT, script)))).toEqual([]);
    expect(scripts).toContain("script/test");
  });
});
