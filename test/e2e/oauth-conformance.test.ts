/** The conformance suite's scenarios for authorization servers, as a public client; the test is the person at the browser. */
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type OauthStack, startOauthStack } from "../support/oauth-stack.ts";
import { startEngine, type TestEngine } from "../support/storages.ts";

const SUITE = join(import.meta.dirname, "../../node_modules/@modelcontextprotocol/conformance/dist/index.js");

let databases: TestEngine;
let stack: OauthStack;
beforeAll(async () => {
  databases = await startEngine("sqlite");
  stack = await startOauthStack({ storage: await (await databases.createDatabase()).open() });
});
afterAll(async () => {
  await stack.close();
  await databases.stop();
});

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

describe.each(["2026-07-28", "2025-11-25"])("the conformance suite for authorization servers, %s", (version) => {
  it("passes as a public client", async () => {
    const port = await freePort();
    const redirectUri = `http://127.0.0.1:${port}/callback`;
    const { body } = await stack.register({ client_name: "conformance", redirect_uris: [redirectUri] });
    const args = ["authorization", "--url", stack.issuer, "--client-id", String(body["client_id"]), "--resource", `${stack.issuer}/mcp`];
    const child = spawn(process.execPath, [SUITE, ...args, "-p", String(port), "--spec-version", version], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const seen = new Set<string>();
    const visits: Promise<void>[] = [];
    const look = (chunk: Buffer): void => {
      output += chunk.toString();
      for (const [url] of output.matchAll(/https?:\/\/\S+\/authorize\?\S+/g)) {
        if (seen.has(url)) continue;
        seen.add(url);
        visits.push(approve(url));
      }
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    await Promise.all(visits);
    expect(output).toContain("authorization-server-metadata-endpoint");
    expect(visits).toHaveLength(1);
    expect(code, output).toBe(0);
    expect(output).not.toMatch(/\b[1-9]\d* failed/);
  });
});

async function approve(url: string): Promise<void> {
  const response = await stack.browser.get(url);
  const interaction = /\/consent\/([\w-]+)$/.exec(response.headers.get("location") ?? "")?.[1];
  if (interaction === undefined) throw new Error(`no consent follows: ${response.status} ${await response.text()}`);
  await fetch(await stack.approve(interaction));
}
