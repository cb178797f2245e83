import { createHash } from "node:crypto";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";

import { createBearerCheck } from "../../src/auth/bearer.ts";
import { type AuthorizationServer, createAuthorizationServer } from "../../src/auth/oauth/authorization-server.ts";
import type { ConsentDecision, ConsentDesk } from "../../src/auth/oauth/consent-desk.ts";
import { DocumentError, type DocumentFetch } from "../../src/auth/oauth/document-fetch.ts";
import { resourceMetadataUrl } from "../../src/auth/oauth/metadata.ts";
import { mcpResource } from "../../src/auth/oauth/resource.ts";
import type { Broker } from "../../src/broker/broker.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { createHttpServer, type HttpServerOptions } from "../../src/http/server.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { type CallToolDeps, createCallTool } from "../../src/mcp/call-tool.ts";
import { createDeadlines } from "../../src/mcp/deadlines.ts";
import { createErrorLink } from "../../src/mcp/error-links.ts";
import { createMcpEndpoint } from "../../src/mcp/endpoint.ts";
import { createRegistry } from "../../src/mcp/registry.ts";
import { type AuditWriter, createAuditLog } from "../../src/storage/audit-writer.ts";
import { pinGrantAccount } from "../../src/storage/app-grants.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { TEST_TOOLS } from "./mcp-stack.ts";
import { seedOwner, type SeededOwner } from "./seed-keys.ts";
import { recordingLog } from "./silent-log.ts";
import { type TestBrowser, testBrowser } from "./test-browser.ts";

export interface OauthStackOptions {
  readonly storage: Storage;
  readonly clock?: Clock;
  readonly fetchDocument?: DocumentFetch;
  readonly builtInClients?: boolean;
  readonly clientDocumentHosts?: readonly string[];
  readonly http?: Partial<HttpServerOptions>;
  readonly owner?: SeededOwner;
}

/** What a host has in hand after it was approved. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope: string;
}

/** One authorization that a test drives by hand. */
export interface AuthorizeInput {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly verifier?: string;
  readonly parameters?: Readonly<Record<string, string | undefined>>;
}

/** The authorization server, the bearer check and `/mcp`, wired as the gateway wires them, with one signed-in person. */
export interface OauthStack {
  readonly issuer: string;
  readonly owner: SeededOwner;
  readonly storage: Storage;
  readonly oauth: AuthorizationServer;
  readonly desk: ConsentDesk;
  readonly audit: AuditWriter;
  readonly logged: readonly Record<string, unknown>[];
  readonly browser: TestBrowser;
  register(metadata: Readonly<Record<string, unknown>>): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
  authorizeUrl(input: AuthorizeInput): string;
  /** Goes to the authorization endpoint and answers the id of the consent that follows. */
  begin(input: AuthorizeInput, browser?: TestBrowser): Promise<string>;
  /** Approves at the desk as the consent page does, follows to the host's address, and answers that. */
  approve(interactionId: string, decision?: Partial<ConsentDecision>, browser?: TestBrowser): Promise<URL>;
  token(
    form: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** The whole way: registration where no client is given, consent, and the first tokens. */
  connect(
    decision?: Partial<ConsentDecision>,
    client?: AuthorizeInput,
  ): Promise<Tokens & { readonly clientId: string; readonly grantId: string }>;
  mcp(token: string | undefined, message?: unknown, path?: string): Promise<Response>;
  close(): Promise<void>;
}

/** A verifier of 64 characters, and its challenge. */
export const VERIFIER = "v".repeat(64);
export const LOOPBACK = "http://127.0.0.1:33418/";

export function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}

/** Answers that no document can be fetched: there is no internet in tests. */
export const noInternet: DocumentFetch = (url) => Promise.reject(new DocumentError("failed", `${new URL(url).hostname} did not answer`));

export async function startOauthStack(options: OauthStackOptions): Promise<OauthStack> {
  const { storage, clock = systemClock } = options;
  const { log, lines } = recordingLog();
  const owner = options.owner ?? (await seedOwner(storage));
  const audit = createAuditLog({ storage, clock, log });
  const metrics = createMetrics();
  const deadlines = createDeadlines(clock);
  const registry = createRegistry(TEST_TOOLS, { name: "ibkr-gateway", title: "IBKR Gateway", version: "0.0.0" });
  // The tools of these tests never reach the broker behind the connection.
  const broker = { mode: "simulated" } as Broker;
  const callTool = createCallTool({
    connections: {
      open: ({ connectionId }) => Promise.resolve({ connectionId, label: "test", broker }),
      health: () => Promise.resolve(undefined),
    },
    trading: { reconcile: () => Promise.resolve(), close: () => Promise.resolve() } as CallToolDeps["trading"],
    audit,
    metrics,
    clock,
    log,
    deadlines,
    serverInfo: registry.serverInfo,
    errorLink: createErrorLink(() => "http://gateway.test"),
    pageUrl: (path) => `http://gateway.test${path}`,
    pinAccount: async (caller, accountId) => {
      await pinGrantAccount(storage, { grantId: caller.id, userId: caller.userId }, accountId);
    },
  });
  const issuer = (): string => server.url;
  const bearer = createBearerCheck({ storage, clock, log, resource: () => mcpResource(issuer()) });
  const authenticate: Parameters<typeof createMcpEndpoint>[0]["authenticate"] = async (authorization, origin) => {
    const result = await bearer.check(authorization, origin);
    return result.kind === "caller" ? result : { kind: "refused", reason: result.reason === "missing" ? "missing" : "invalid" };
  };
  const mcp = createMcpEndpoint(
    { registry, callTool, authenticate, audit, metrics, clock, log },
    { resourceMetadataUrl: () => resourceMetadataUrl(issuer()) },
  );
  let made: AuthorizationServer | undefined;
  const oauth = (): AuthorizationServer =>
    (made ??= createAuthorizationServer(
      { storage, audit, clock, random: systemRandom, log, fetchDocument: options.fetchDocument ?? noInternet },
      {
        issuer: issuer(),
        unusedLimitMs: 90 * 86_400_000,
        builtInClients: options.builtInClients ?? true,
        clientDocumentHosts: options.clientDocumentHosts ?? [],
      },
    ));
  const server = createHttpServer(
    { mcp, oauth, metrics, healthChecks: {}, clock, random: systemRandom, log, version: "0.0.0" },
    { host: "127.0.0.1", port: 0, ...options.http },
  );
  await server.listen();
  const face = stackFace({ bound: server.boundUrl, issuer: issuer(), oauth: oauth(), owner, storage });
  return {
    ...face,
    issuer: issuer(),
    owner,
    storage,
    oauth: oauth(),
    desk: oauth().consentDesk,
    audit,
    logged: lines,
    close: async () => {
      await server.close();
      await bearer.close();
      await audit.close();
      await oauth().close();
      deadlines.close();
    },
  };
}

interface FaceDeps {
  readonly bound: string;
  readonly issuer: string;
  readonly oauth: AuthorizationServer;
  readonly owner: SeededOwner;
  readonly storage: Storage;
}

type Face = Omit<OauthStack, "issuer" | "owner" | "storage" | "oauth" | "desk" | "audit" | "logged" | "close">;

function stackFace({ bound, issuer, oauth, owner, storage }: FaceDeps): Face {
  const browser = testBrowser();
  const register: Face["register"] = async (metadata) => {
    const response = await fetch(`${bound}/register`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(metadata),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const authorizeUrl: Face["authorizeUrl"] = ({ clientId, redirectUri, verifier = VERIFIER, parameters = {} }) => {
    const query = new URLSearchParams();
    const all = {
      response_type: "code",
      client_id: clientId,
      redirect_uri: redirectUri,
      code_challenge: challengeOf(verifier),
      code_challenge_method: "S256",
      state: "state-1",
      resource: `${issuer}/mcp`,
      ...parameters,
    };
    for (const [name, value] of Object.entries(all)) if (value !== undefined) query.set(name, value);
    return `${bound}/authorize?${query.toString()}`;
  };
  const begin: Face["begin"] = async (input, by = browser) => {
    const response = await by.get(authorizeUrl(input));
    const location = response.headers.get("location") ?? "";
    const id = /^\/consent\/([\w-]+)$/.exec(location)?.[1];
    if (id === undefined) throw new Error(`no consent follows: ${response.status} ${location} ${await response.text()}`);
    return id;
  };
  const approve: Face["approve"] = async (interactionId, decision = {}, by = browser) => {
    const { req, res } = pageRequest(interactionId, by);
    const whole = {
      userId: owner.userId,
      connectionId: owner.connectionId,
      scope: "read" as const,
      allowedAccountIds: undefined,
      toolsets: [],
      expiresAt: undefined,
    };
    const { redirectTo } = await oauth.consentDesk.approve(req, res, interactionId, { ...whole, ...decision });
    return await resume(redirectTo, by);
  };
  const resume = async (redirectTo: string, by: TestBrowser): Promise<URL> => {
    const response = await by.get(redirectTo.replace(issuer, bound));
    const location = response.headers.get("location");
    if (response.status !== 303 || location === null) throw new Error(`not sent back: ${response.status} ${await response.text()}`);
    return new URL(location);
  };
  const token: Face["token"] = async (form, headers = {}) => {
    const response = await fetch(`${bound}/token`, { method: "POST", headers, body: new URLSearchParams(form) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const connect: Face["connect"] = async (decision, given) => {
    const client = given ?? {
      clientId: String((await register({ client_name: "Test host", redirect_uris: [LOOPBACK] })).body["client_id"]),
      redirectUri: LOOPBACK,
    };
    const back = await approve(await begin(client), decision);
    const { status, body } = await token({
      grant_type: "authorization_code",
      code: back.searchParams.get("code") ?? "",
      client_id: client.clientId,
      redirect_uri: client.redirectUri,
      code_verifier: client.verifier ?? VERIFIER,
    });
    if (status !== 200) throw new Error(`no tokens: ${JSON.stringify(body)}`);
    const grant = await storage.db
      .selectFrom("app_grants")
      .select("id")
      .orderBy("created_at", "desc")
      .orderBy("issued_at", "desc")
      .executeTakeFirstOrThrow();
    // The shape is what the tests of the token answer prove.
    return { ...(body as unknown as Tokens), clientId: client.clientId, grantId: grant.id };
  };
  const mcp: Face["mcp"] = (bearer, message = { jsonrpc: "2.0", id: 1, method: "tools/list" }, path = "/mcp") =>
    fetch(`${bound}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }) },
      body: JSON.stringify(message),
    });
  return { browser, register, authorizeUrl, begin, approve, token, connect, mcp };
}

/** The request and the answer in hand that the consent page gives to the desk. */
export function pageRequest(interactionId: string, browser: TestBrowser): { req: IncomingMessage; res: ServerResponse } {
  const req = new IncomingMessage(new Socket());
  req.url = `/consent/${interactionId}`;
  req.headers = { host: "localhost", cookie: browser.cookiesFor(`/consent/${interactionId}`) };
  return { req, res: new ServerResponse(req) };
}
