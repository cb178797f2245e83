import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type BearerProxy, startBearerProxy } from "../support/bearer-proxy.ts";
import { temporaryFolder } from "../support/built-gateway.ts";
import { conformanceFixtures } from "../support/conformance-fixtures.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";

const SUITE = join(import.meta.dirname, "../../node_modules/@modelcontextprotocol/conformance/dist/index.js");
/** Scenarios that need no fixture: the product answers them as it is. */
const PRODUCT_SCENARIOS: readonly (readonly [string, string])[] = [
  ["2026-07-28", "tools-list"],
  ["2026-07-28", "http-header-validation"],
  ["2026-07-28", "dns-rebinding-protection"],
  ["2026-07-28", "server-sse-multiple-streams"],
  ["2026-07-28", "sep-2164-resource-not-found"],
  ["2026-07-28", "input-required-result-unsupported-methods"],
  ["2025-11-25", "server-initialize"],
  ["2025-11-25", "ping"],
  ["2025-11-25", "tools-list"],
  ["2025-11-25", "dns-rebinding-protection"],
];

/** Checks of these scenarios that ask for fixture tools, prompts or resources; every other check must pass, and a stale entry fails. */
const NEED_FIXTURES: Readonly<Record<string, readonly string[]>> = {
  "server-stateless": [
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
    "sep-2575-http-server-no-independent-requests-on-stream",
    "sep-2575-server-no-log-without-loglevel",
  ],
  caching: [
    "sep-2549-prompts-list-caching-hints",
    "sep-2549-resources-list-caching-hints",
    "sep-2549-resources-templates-list-caching-hints",
  ],
};

/** The whole set of a revision takes about a quarter of this. */
const LIMIT_MS = 180_000;

const results = temporaryFolder();

/** Runs the suite against a server; answers its exit code and what it printed. */
function runSuite(url: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SUITE, "server", "--url", `${url}/mcp`, ...args, "-o", results], {
      timeout: LIMIT_MS,
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

function summary(output: string): string {
  return output.slice(Math.max(0, output.lastIndexOf("=== SUITE SUMMARY")));
}

describe("with the suite's fixtures behind the same transport and bearer check", () => {
  let gateway: TestGateway;
  let proxy: BearerProxy;
  beforeAll(async () => {
    gateway = await startGateway({ deps: { extend: conformanceFixtures() } });
    proxy = await startBearerProxy(gateway.url, gateway.key);
  });
  afterAll(async () => {
    await proxy.close();
    await gateway.close();
  });

  test.each(["2026-07-28", "2025-11-25"])(
    "meets the requirements of %s",
    async (revision) => {
      const { code, output } = await runSuite(proxy.url, ["--requirements", revision]);
      expect(code, summary(output)).toBe(0);
    },
    LIMIT_MS,
  );
});

describe("with the product as it is", () => {
  let gateway: TestGateway;
  let proxy: BearerProxy;
  beforeAll(async () => {
    gateway = await startGateway();
    proxy = await startBearerProxy(gateway.url, gateway.key);
  });
  afterAll(async () => {
    await proxy.close();
    await gateway.close();
  });

  test.each(PRODUCT_SCENARIOS)(
    "passes %s %s",
    async (revision, scenario) => {
      const { code, output } = await runSuite(proxy.url, ["--scenario", scenario, "--spec-version", revision]);
      expect(code, output).toBe(0);
    },
    LIMIT_MS,
  );

  test.each(Object.entries(NEED_FIXTURES))(
    "passes every check of %s that needs no fixture",
    async (scenario, checks) => {
      const baseline = join(results, `${scenario}.yml`);
      writeFileSync(baseline, `server:\n${checks.map((check) => `  - ${scenario}:${check}\n`).join("")}`);
      const { code, output } = await runSuite(proxy.url, [
        "--scenario",
        scenario,
        "--spec-version",
        "2026-07-28",
        "--expected-failures",
        baseline,
      ]);
      expect(code, output).toBe(0);
    },
    LIMIT_MS,
  );
});
