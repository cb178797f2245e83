/** A newcomer's first minutes, on the built program: start, the printed key and curl, restart, and what goes wrong. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { startBuiltGateway, startProgram, temporaryFolder } from "../support/built-gateway.ts";
import type { BuiltGateway, RunningProgram } from "../support/built-gateway.ts";
import { callTool, curl } from "../support/mcp-call.ts";

const running: RunningProgram[] = [];
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop("SIGKILL");
});

async function start(environment: Record<string, string> = {}, dataDir?: string): Promise<BuiltGateway> {
  const gateway = await startBuiltGateway(environment, dataDir);
  running.push(gateway);
  return gateway;
}

async function commandOutput(
  args: readonly string[],
  environment: Record<string, string>,
): Promise<{ code: number | null; output: string; errors: string }> {
  const program = startProgram("dist/cli.js", args, environment);
  running.push(program);
  const code = await program.ended;
  return { code, output: program.output(), errors: program.errors() };
}

describe("a first start", () => {
  it("prints the key once, with the curl that answers plain JSON for tools/list and tools/call", async () => {
    const gateway = await start();
    const key = gateway.key ?? "";
    expect(gateway.output()).toContain(`/mcp -H "Authorization: Bearer ${key}" -H "Content-Type: application/json"`);
    expect(gateway.output()).toContain(`-d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`);
    const listed = await curl(gateway.url, key, { jsonrpc: "2.0", id: 1, method: "tools/list" });
    expect(listed).toMatchObject({ status: 200, contentType: "application/json", body: { jsonrpc: "2.0", id: 1 } });
    const called = await curl(gateway.url, key, { jsonrpc: "2.0", id: "a", method: "tools/call", params: { name: "get_accounts" } });
    expect(called).toMatchObject({
      status: 200,
      contentType: "application/json",
      body: { id: "a", result: { structuredContent: { mode: "simulated" } } },
    });
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });

  it("keeps its data: the key works after a restart within three seconds, and is not shown again", async () => {
    const dataDir = temporaryFolder();
    const first = await start({}, dataDir);
    const key = first.key ?? "";
    const placed = await callTool({ url: first.url, key }, "get_accounts");
    expect(await first.stop()).toBe(0);
    const before = performance.now();
    const second = await start({}, dataDir);
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(second.key).toBeUndefined();
    expect(second.output()).toContain("ibkr-gateway key create");
    const again = await callTool({ url: second.url, key }, "get_accounts");
    expect(again.structured["accounts"]).toEqual(placed.structured["accounts"]);
  });

  it("keeps its files to itself and the key out of them", async () => {
    const gateway = await start();
    await callTool({ url: gateway.url, key: gateway.key ?? "" }, "get_accounts");
    await gateway.stop();
    for (const entry of readdirSync(gateway.dataDir, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      expect(statSync(path).mode & 0o077, path).toBe(0);
      if (entry.isFile()) expect(readFileSync(path).includes(gateway.key ?? "none"), path).toBe(false);
    }
    // The socket that proves it alive goes with it.
    expect(readdirSync(join(gateway.dataDir, "run"))).toEqual([]);
    expect(gateway.errors()).not.toContain(gateway.key);
  });
});

describe("keys by command", () => {
  it("makes, lists and revokes them beside a running gateway; a revoked key is refused on the very next request", async () => {
    const gateway = await start();
    const environment = { DATA_DIR: gateway.dataDir };
    const made = await commandOutput(["key", "create", "--label", "laptop", "--scope", "read"], environment);
    expect(made.code).toBe(0);
    const key = made.output.trim();
    const listed = await curl(gateway.url, key, { jsonrpc: "2.0", id: 1, method: "tools/list" });
    const names = (listed.body as { result: { tools: { name: string }[] } }).result.tools.map((tool) => tool.name);
    expect(names).toContain("get_quote");
    expect(names.filter((name) => ["place_order", "cancel_order", "preview_order", "set_current_account"].includes(name))).toEqual([]);

    const rows = await commandOutput(["key", "list"], environment);
    const id = /^(\S+) .*laptop/m.exec(rows.output)?.[1] ?? "";
    expect(rows.output).not.toContain(key);
    expect((await commandOutput(["key", "revoke", id], environment)).code).toBe(0);
    expect((await curl(gateway.url, key, { jsonrpc: "2.0", id: 2, method: "tools/list" })).status).toBe(401);
    expect(await commandOutput(["key", "revoke", "key_nobody"], environment)).toMatchObject({
      code: 1,
      errors: expect.stringContaining("no active key"),
    });
  });
});

describe("what goes wrong ends with one clear line", () => {
  const oneLine = async (environment: Record<string, string>, expected: RegExp): Promise<void> => {
    const { code, errors } = await commandOutput(["serve"], { DATA_DIR: temporaryFolder(), LOG_LEVEL: "warn", ...environment });
    expect(code).toBe(1);
    expect(errors.trim().split("\n")).toEqual([expect.stringMatching(expected)]);
  };

  it("a busy port", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    await oneLine({ PORT: String(port) }, new RegExp(`127\\.0\\.0\\.1:${port} is in use`));
    await new Promise((resolve) => other.close(resolve));
  });

  it("a bad setting", async () => {
    await oneLine({ PORT: "eighty" }, /setting PORT/);
    await oneLine({ PUBLIC_URL: "http://gateway.example.com" }, /setting PUBLIC_URL: must be https/);
    await oneLine({ SEALING_KEY: "short" }, /sealing key/);
    await oneLine({ TRUSTED_PROXIES: "everybody" }, /TRUSTED_PROXIES|everybody/);
  });

  it("a folder that can't be used", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    await oneLine({ DATA_DIR: join(folder, "file") }, /DATA_DIR/);
    await oneLine({ DATA_DIR: "/sys/ibkr-gateway" }, /can't write to \/sys\/ibkr-gateway: set DATA_DIR/);
  });

  it("an unknown command", async () => {
    expect(await commandOutput(["dance"], {})).toMatchObject({ code: 1, errors: expect.stringContaining('no command "dance"') });
  });
});

describe("the demo", () => {
  it("refuses forwarded requests", async () => {
    const gateway = await start();
    for (const header of ["X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7", "X-Real-IP: 203.0.113.7"]) {
      const answer = await curl(gateway.url, gateway.key ?? "", { jsonrpc: "2.0", id: 1, method: "tools/list" }, ["-H", header]);
      expect(answer.status, header).toBe(403);
    }
  });

  it.each([{ DEMO: "off" }, { PUBLIC_URL: "https://gateway.example.com" }, { HOST: "0.0.0.0" }])(
    "is no more with %j: its key is refused",
    async (environment) => {
      const dataDir = temporaryFolder();
      const first = await start({}, dataDir);
      const key = first.key ?? "";
      await first.stop();
      const second = await start(environment, dataDir);
      expect((await curl(second.url, key, { jsonrpc: "2.0", id: 1, method: "tools/list" })).status).toBe(401);
    },
  );
});
