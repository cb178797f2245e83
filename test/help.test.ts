/** What the help pages say works: every link leads somewhere, every block of code is run or parsed, and all name this very server. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { cursorInstallUrl, SERVER_NAME, splitExample, vscodeInstallUrl } from "../src/help/help-facts.ts";
import { loadHelp } from "../src/help/load-help.ts";
import { ERROR_CODES } from "../src/lib/errors.ts";
import { loadTools } from "../src/mcp/load-tools.ts";
import { startGateway, type TestGateway } from "./support/gateway.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..");
const documents = loadHelp();

let gateway: TestGateway;
/** Page → its HTML as the server sends it. */
const pages = new Map<string, string>();

beforeAll(async () => {
  gateway = await startGateway({ environment: { OPERATOR_CONTACT: "help@example.com" } });
  for (const path of ["/", "/help", ...documents.map(({ slug }) => `/help/${slug}`)]) {
    const response = await fetch(gateway.url + path, { headers: { accept: "text/html" } });
    expect([path, response.status]).toEqual([path, 200]);
    pages.set(path, await response.text());
  }
}, 60_000);
afterAll(() => gateway.close());

const page = (path: string): string => pages.get(path) ?? "";

const unescapeHtml = (html: string): string =>
  html.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");

interface Block {
  readonly path: string;
  readonly language: string;
  readonly text: string;
}

const blocksOf = (html: string, path: string): Block[] =>
  [...html.matchAll(/aria-label="(\w+)"><code>([\s\S]*?)<\/code>/g)].map(([, language = "", text = ""]) => ({
    path,
    language,
    text: unescapeHtml(text),
  }));
const blocks = (language: string): Block[] =>
  [...pages].flatMap(([path, html]) => blocksOf(html, path)).filter((block) => block.language === language);

const mcpUrl = (): string => `${gateway.app.publicUrl}/mcp`;

describe("every page", () => {
  it("names this server, and no other place in its stead", () => {
    for (const [path, html] of pages) {
      expect([path, html.includes("{{")]).toEqual([path, false]);
      expect([path, /ibkr-gateway\.[a-z]+\/mcp/.test(html)]).toEqual([path, false]);
    }
    expect(page("/help/mcp")).toContain(mcpUrl());
    expect(page("/")).toContain(mcpUrl());
    expect(page("/help/privacy")).toContain('href="mailto:help@example.com"');
  });

  it("has a description, one address and its own title for search engines", () => {
    const titles = [...pages.values()].map((html) => /<title>(.*?)<\/title>/.exec(html)?.[1]);
    expect(new Set(titles).size).toBe(pages.size);
    for (const [path, html] of pages) {
      expect(html).toContain(`<link rel="canonical" href="${gateway.app.publicUrl}${path}"`);
      expect(/<meta name="description" content="[^"]{30,}"/.test(html)).toBe(true);
    }
  });

  it("tells whose product this is not", () => {
    for (const html of pages.values()) expect(html).toContain("Not affiliated with Interactive Brokers.");
  });

  it("links to pages and headings that exist", async () => {
    const hrefs = [...pages].flatMap(([path, html]) =>
      [...html.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, href = ""]) => new URL(unescapeHtml(href), gateway.app.publicUrl + path)),
    );
    const own = new Map(hrefs.filter(({ origin }) => origin === gateway.app.publicUrl).map((url) => [url.href, url]));
    expect(own.size).toBeGreaterThan(40);
    for (const url of own.values()) {
      const html = pages.get(url.pathname);
      if (html === undefined) {
        const response = await fetch(gateway.url + url.pathname + url.search, { redirect: "manual", headers: { accept: "text/html" } });
        expect([url.href, response.status < 400]).toEqual([url.href, true]);
      } else if (url.hash !== "") expect([url.href, html.includes(`id="${url.hash.slice(1)}"`)]).toEqual([url.href, true]);
    }
  });

  it("answers 404 for a page that there is not", async () => {
    for (const path of ["/help/nothing", "/help/..%2f..%2fpackage.json"]) {
      expect((await fetch(gateway.url + path, { headers: { accept: "text/html" } })).status).toBe(404);
    }
  });
});

describe("the home page", () => {
  it("speaks plainly to curl and in HTML to browsers", async () => {
    const plain = await fetch(gateway.url, { headers: { accept: "*/*" } });
    expect(plain.headers.get("content-type")).toContain("text/plain");
    expect(await plain.text()).toContain(mcpUrl());
  });

  it("carries structured data that can be read", () => {
    const data = [...page("/").matchAll(/<script type="application\/ld\+json">([\s\S]*?)<\/script>/g)].map(
      ([, json = ""]) => z.looseObject({ "@type": z.string() }).parse(JSON.parse(json))["@type"],
    );
    expect(data).toEqual(["WebSite", "SoftwareApplication", "FAQPage"]);
  });

  it("names every tool", () => {
    for (const { name } of loadTools()) expect(page("/")).toContain(`<code>${name}</code>`);
  });
});

describe("blocks of code", () => {
  it("are of the kinds that are checked here", () => {
    const kinds = new Set([...pages].flatMap(([path, html]) => blocksOf(html, path)).map(({ language }) => language));
    expect([...kinds].toSorted()).toEqual(["bash", "json", "python", "text", "toml", "typescript"].filter((kind) => kinds.has(kind)));
  });

  it("in JSON parse, and configurations of hosts name this server's address", () => {
    const server = z.object({ url: z.string().optional(), args: z.array(z.string()).optional() });
    const config = z.looseObject({ mcpServers: z.record(z.string(), server).optional(), servers: z.record(z.string(), server).optional() });
    let configured = 0;
    for (const { path, text } of blocks("json")) {
      const parsed = config.parse(JSON.parse(text));
      for (const [name, { url, args }] of Object.entries({ ...parsed.mcpServers, ...parsed.servers })) {
        expect([path, name, url ?? args?.at(-1)]).toEqual([path, SERVER_NAME, mcpUrl()]);
        configured += 1;
      }
    }
    expect(configured).toBeGreaterThanOrEqual(7);
  });

  it("in TOML name this server's address", () => {
    for (const { text } of blocks("toml")) {
      const lines = text.trim().split("\n");
      expect(lines[0]).toBe(`[mcp_servers.${SERVER_NAME}]`);
      expect(lines[1]).toBe(`url = "${mcpUrl()}"`);
      for (const line of lines.slice(2)) expect(line).toMatch(/^\w+ = "[^"]*"$/);
    }
    expect(blocks("toml").length).toBeGreaterThan(0);
  });

  it("with curl run as they stand", async () => {
    const commands = blocks("bash").filter(({ text }) => text.startsWith("curl"));
    expect(commands.length).toBeGreaterThanOrEqual(4);
    for (const { path, text } of commands) {
      const { stdout } = await run("bash", ["-c", text.replaceAll("ibkr_...", gateway.key)], {
        env: { ...process.env, IBKR_GATEWAY_KEY: gateway.key },
      });
      const answer = z.object({ result: z.looseObject({ isError: z.boolean().optional() }) }).parse(JSON.parse(stdout));
      expect([path, answer.result.isError ?? false]).toEqual([path, false]);
    }
  });

  it("of other commands are of programs whose words we know", () => {
    for (const { text } of blocks("bash").filter((block) => !block.text.startsWith("curl"))) {
      for (const line of text.trim().split("\n")) {
        expect(line).toMatch(/^(?:claude mcp (?:add|remove) |codex mcp (?:add|login) |script\/(?:server|ibkr-simulator)|[A-Z_]+=\S+$)/);
        if (line.includes(" add ")) expect(line).toContain(mcpUrl());
      }
    }
  });

  it("in TypeScript run as they stand", async () => {
    const programs = blocks("typescript");
    expect(programs.length).toBeGreaterThanOrEqual(2);
    for (const { text } of programs) {
      const { stdout } = await run("node", ["--input-type=module-typescript", "--eval", text], {
        cwd: ROOT,
        env: { ...process.env, IBKR_GATEWAY_KEY: gateway.key },
      });
      expect(stdout).toContain("as_of");
    }
  });

  it("in Python run as they stand", async () => {
    const programs = blocks("python");
    expect(programs.length).toBeGreaterThanOrEqual(1);
    for (const { text } of programs) {
      const { stdout } = await run("python3", ["-c", text], { env: { ...process.env, IBKR_GATEWAY_KEY: gateway.key } });
      expect(stdout).toContain("as_of");
    }
  });
});

describe("install links", () => {
  it("carry this server's address for Cursor and VS Code", () => {
    const cursor = new URL(cursorInstallUrl(gateway.app.publicUrl));
    expect(JSON.parse(Buffer.from(cursor.searchParams.get("config") ?? "", "base64").toString())).toEqual({ url: mcpUrl() });
    const [, code = ""] = vscodeInstallUrl(gateway.app.publicUrl).split("?");
    expect(JSON.parse(decodeURIComponent(code))).toEqual({ name: SERVER_NAME, type: "http", url: mcpUrl() });
    expect(unescapeHtml(page("/help/cursor"))).toContain(cursorInstallUrl(gateway.app.publicUrl));
    expect(unescapeHtml(page("/help/vs-code"))).toContain(vscodeInstallUrl(gateway.app.publicUrl));
  });
});

describe("what is generated", () => {
  it("has every error code and every tool, each tool with an example", () => {
    for (const code of ERROR_CODES) expect(page("/help/errors")).toContain(`id="${code}"`);
    for (const { name, description } of loadTools()) {
      expect(page("/help/tools")).toContain(`id="${name}"`);
      const { example } = splitExample(description);
      if (description.includes("Example")) expect([name, example]).not.toEqual([name, undefined]);
    }
  });

  it("gives examples that the tools take", async () => {
    const calls = blocks("json").filter(({ path }) => path === "/help/tools");
    expect(calls.length).toBeGreaterThanOrEqual(8);
    for (const { text } of calls) {
      const call = z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text));
      const answer = await gateway.tool(call.name, call.arguments);
      expect([call.name, answer.isError ? answer.error["code"] : undefined]).not.toEqual([call.name, "invalid_arguments"]);
    }
  });
});
