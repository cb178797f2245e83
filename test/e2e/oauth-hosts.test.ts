/** 29: the SDK's own OAuth code in both generations, and requests in the shapes of well-known hosts. */
import { Client as ModernClient, auth as modernAuth, StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { auth as legacyAuth } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { ConsentDecision } from "../../src/auth/oauth/consent-desk.ts";
import { noInternet, type OauthStack, startOauthStack, VERIFIER } from "../support/oauth-stack.ts";
import { type HostMemory, oauthHost } from "../support/oauth-host.ts";
import { startEngine, type TestEngine } from "../support/storages.ts";

const CLAUDE_CODE = "https://claude.ai/oauth/claude-code-client-metadata";

let databases: TestEngine;
let stack: OauthStack;
beforeAll(async () => {
  databases = await startEngine("sqlite");
});
afterAll(() => databases.stop());
beforeEach(async () => {
  const documents: Record<string, unknown> = {
    [CLAUDE_CODE]: {
      client_id: CLAUDE_CODE,
      client_name: "Claude Code",
      redirect_uris: ["http://localhost/callback", "http://127.0.0.1/callback"],
      token_endpoint_auth_method: "none",
    },
  };
  stack = await startOauthStack({
    storage: await (await databases.createDatabase()).open(),
    fetchDocument: (url) => {
      const document = documents[url];
      if (document === undefined) return noInternet(url);
      return Promise.resolve({ status: 200, contentType: "application/json", cacheHeaders: {}, text: JSON.stringify(document) });
    },
  });
});
afterEach(() => stack.close());

/** Does the person's part: goes where the host opened the browser, approves, and answers the code that comes back. */
async function person(memory: HostMemory, decision: Partial<ConsentDecision> = {}): Promise<string> {
  const url = memory.opened.at(-1);
  if (url === undefined) throw new Error("no browser was opened");
  const response = await stack.browser.get(url.href);
  const interaction = /\/consent\/([\w-]+)$/.exec(response.headers.get("location") ?? "")?.[1];
  if (interaction === undefined) throw new Error(`no consent follows: ${response.status} ${await response.text()}`);
  const back = await stack.approve(interaction, decision);
  expect(back.searchParams.get("iss")).toBe(stack.issuer);
  expect(back.searchParams.get("state")).toBe(url.searchParams.get("state"));
  return back.searchParams.get("code") ?? "";
}

const METADATA = {
  client_name: "Test host",
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
};
const cutOff = async (): Promise<void> => {
  await stack.storage.db.updateTable("app_grants").set({ revoked_at: 1 }).execute();
};

describe("the SDK's first generation", () => {
  it("finds, registers, connects, refreshes, and connects again after it was cut off", async () => {
    const serverUrl = `${stack.issuer}/mcp`;
    const { memory, legacy } = oauthHost({ redirectUri: "http://127.0.0.1:6274/oauth/callback", metadata: METADATA });
    const transport = new LegacyTransport(new URL(serverUrl), { authProvider: legacy });
    await expect(new LegacyClient({ name: "host", version: "1" }).connect(transport)).rejects.toThrow("Unauthorized");
    await transport.finishAuth(await person(memory));
    const client = new LegacyClient({ name: "host", version: "1" });
    await client.connect(new LegacyTransport(new URL(serverUrl), { authProvider: legacy }));
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).not.toContain("change");
    expect((await client.callTool({ name: "echo", arguments: { symbol: "AAPL" } })).isError).not.toBe(true);

    const first = memory.tokens;
    expect(first).toMatchObject({ scope: "read", token_type: "Bearer" });
    expect(await legacyAuth(legacy, { serverUrl })).toBe("AUTHORIZED");
    expect(memory.tokens?.["refresh_token"]).not.toBe(first?.["refresh_token"]);
    expect((await client.listTools()).tools.length).toBe(tools.length);

    await cutOff();
    await expect(client.listTools()).rejects.toThrow();
    expect(memory.tokens).toBeUndefined();
    expect(memory.opened).toHaveLength(2);
    await legacyAuth(legacy, { serverUrl, authorizationCode: await person(memory, { scope: "write" }) });
    expect((await client.listTools()).tools.map((tool) => tool.name)).toContain("change");
    await client.close();
  });

  it("registers again when the database forgot its client", async () => {
    const serverUrl = `${stack.issuer}/mcp`;
    const { memory, legacy } = oauthHost({ redirectUri: "http://127.0.0.1:6274/oauth/callback", metadata: METADATA });
    expect(await legacyAuth(legacy, { serverUrl })).toBe("REDIRECT");
    await legacyAuth(legacy, { serverUrl, authorizationCode: await person(memory) });
    const lost = memory.client?.["client_id"];
    await stack.storage.db.deleteFrom("oauth_clients").execute();
    expect(await legacyAuth(legacy, { serverUrl })).toBe("REDIRECT");
    expect(memory.client?.["client_id"]).not.toBe(lost);
    expect(await legacyAuth(legacy, { serverUrl, authorizationCode: await person(memory) })).toBe("AUTHORIZED");
  });

  it("uses a secret when it registers for one", async () => {
    const serverUrl = `${stack.issuer}/mcp`;
    for (const token_endpoint_auth_method of ["client_secret_basic", "client_secret_post"]) {
      const { memory, legacy } = oauthHost({
        redirectUri: "https://host.example/cb",
        metadata: { ...METADATA, token_endpoint_auth_method },
      });
      await legacyAuth(legacy, { serverUrl });
      expect(memory.client?.["client_secret"]).toMatch(/^ibkr_cs_/);
      expect(await legacyAuth(legacy, { serverUrl, authorizationCode: await person(memory) })).toBe("AUTHORIZED");
      expect(await legacyAuth(legacy, { serverUrl })).toBe("AUTHORIZED");
    }
  });
});

describe("the SDK's second generation", () => {
  it("finds, connects by a metadata document, steps up when a tool needs more, and goes on", async () => {
    const serverUrl = `${stack.issuer}/mcp`;
    const { memory, modern } = oauthHost({
      redirectUri: "http://localhost:54545/callback",
      metadata: METADATA,
      documentUrl: CLAUDE_CODE,
      state: "modern-state",
    });
    const transport = new ModernTransport(new URL(serverUrl), { authProvider: modern });
    await expect(new ModernClient({ name: "host", version: "1" }).connect(transport)).rejects.toThrow();
    expect(memory.opened[0]?.searchParams.get("client_id")).toBe(CLAUDE_CODE);
    await modernAuth(modern, { serverUrl, authorizationCode: await person(memory), iss: stack.issuer });
    const client = new ModernClient({ name: "host", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await client.connect(new ModernTransport(new URL(serverUrl), { authProvider: modern }));
    expect((await client.listTools()).tools.map((tool) => tool.name)).not.toContain("change");
    await expect(client.callTool({ name: "change", arguments: {} })).rejects.toThrow();
    expect(memory.opened).toHaveLength(2);
    expect(memory.opened[1]?.searchParams.get("scope")?.split(" ")).toEqual(expect.arrayContaining(["read", "write"]));
    await modernAuth(modern, { serverUrl, authorizationCode: await person(memory, { scope: "write" }), iss: stack.issuer });
    expect((await client.callTool({ name: "change", arguments: {} })).isError).not.toBe(true);
    expect(await modernAuth(modern, { serverUrl })).toBe("AUTHORIZED");
    await client.close();
    // A client keeps the list for its time to live; the next one sees what the scope shows.
    const next = new ModernClient({ name: "host", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await next.connect(new ModernTransport(new URL(serverUrl), { authProvider: modern }));
    expect((await next.listTools()).tools.map((tool) => tool.name)).toContain("change");
    await next.close();
  });

  it("registers where it has no document", async () => {
    const serverUrl = `${stack.issuer}/mcp`;
    const { memory, modern } = oauthHost({ redirectUri: "cursor://anysphere.cursor-mcp/oauth/callback", metadata: METADATA });
    expect(await modernAuth(modern, { serverUrl })).toBe("REDIRECT");
    expect(memory.client?.["client_id"]).toMatch(/^client_/);
    expect(await modernAuth(modern, { serverUrl, authorizationCode: await person(memory), iss: stack.issuer })).toBe("AUTHORIZED");
  });
});

interface HostShape {
  readonly host: string;
  /** What it registers; undefined where its client id is a document's address. */
  readonly registration: Record<string, unknown> | undefined;
  readonly clientId?: string;
  readonly redirectUri: string;
  readonly authorize: Record<string, string | undefined>;
  readonly refresh: Record<string, string>;
}

/** What these hosts were seen to send, member by member. */
const SHAPES: readonly HostShape[] = [
  {
    host: "claude.ai",
    registration: {
      client_name: "Claude",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      scope: "read write offline_access",
      redirect_uris: ["https://claude.ai/api/mcp/auth_callback"],
    },
    redirectUri: "https://claude.ai/api/mcp/auth_callback",
    authorize: { scope: " read write", state: "s" },
    refresh: { scope: "read write offline_access" },
  },
  {
    host: "ChatGPT",
    registration: {
      client_name: "ChatGPT",
      redirect_uris: ["https://chatgpt.com/connector/oauth/AbC-123"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_post",
      contacts: [],
      logo_uri: null,
    },
    redirectUri: "https://chatgpt.com/connector/oauth/AbC-123",
    authorize: { scope: "openid email read", nonce: "n" },
    refresh: {},
  },
  {
    host: "Cursor",
    registration: {
      client_name: "Cursor",
      application_type: "web",
      client_uri: "https://cursor.com",
      redirect_uris: ["cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/agents/mcp/oauth/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
    redirectUri: "cursor://anysphere.cursor-mcp/oauth/callback",
    authorize: { scope: undefined, prompt: "consent" },
    refresh: {},
  },
  {
    host: "VS Code",
    registration: {
      client_name: "Visual Studio Code",
      client_uri: "https://code.visualstudio.com",
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
      redirect_uris: [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
      ],
      token_endpoint_auth_method: "none",
      application_type: "native",
      scope: "read write",
    },
    redirectUri: "http://127.0.0.1:49321/",
    authorize: { scope: "read write", prompt: "select_account" },
    refresh: { scope: "read write" },
  },
  {
    host: "Claude Code",
    registration: undefined,
    clientId: CLAUDE_CODE,
    redirectUri: "http://localhost:51234/callback",
    authorize: { scope: "read write offline_access", prompt: "consent" },
    refresh: {},
  },
  {
    host: "Codex",
    registration: undefined,
    clientId: "https://chatgpt.com/oauth/codex/client.json",
    redirectUri: "http://127.0.0.1:1455/callback",
    authorize: { scope: "read" },
    refresh: {},
  },
];

describe.each(SHAPES)("a host in the shape of $host", (shape) => {
  it("gets its tokens, and new ones", async () => {
    const registered = shape.registration === undefined ? undefined : await stack.register(shape.registration);
    expect(registered?.status ?? 201).toBe(201);
    const clientId = shape.clientId ?? String(registered?.body["client_id"]);
    const secret: unknown = registered?.body["client_secret"];
    const proof = typeof secret === "string" ? { client_id: clientId, client_secret: secret } : { client_id: clientId };
    const interaction = await stack.begin({ clientId, redirectUri: shape.redirectUri, parameters: shape.authorize });
    const back = await stack.approve(interaction, { scope: "write" });
    expect(back.href.startsWith(shape.redirectUri)).toBe(true);
    const code = back.searchParams.get("code") ?? "";
    const form = {
      grant_type: "authorization_code",
      code,
      redirect_uri: shape.redirectUri,
      code_verifier: VERIFIER,
      resource: `${stack.issuer}/mcp`,
    };
    const first = await stack.token({ ...form, ...proof });
    expect(first).toMatchObject({ status: 200, body: { scope: "read write", token_type: "Bearer" } });
    const next = await stack.token({
      grant_type: "refresh_token",
      refresh_token: String(first.body["refresh_token"]),
      resource: `${stack.issuer}/mcp`,
      ...shape.refresh,
      ...proof,
    });
    expect(next).toMatchObject({ status: 200, body: { scope: "read write" } });
    expect((await stack.mcp(String(next.body["access_token"]))).status).toBe(200);
  });
});
