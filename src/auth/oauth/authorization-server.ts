import type { IncomingMessage, ServerResponse } from "node:http";

import Provider, { errors, type KoaContextWithOIDC } from "oidc-provider";

import type { Clock } from "../../lib/clock.ts";
import { KeyedLock } from "../../lib/keyed-lock.ts";
import { background, type Log } from "../../lib/log.ts";
import { type Random, randomId } from "../../lib/random.ts";
import { readBody } from "../../lib/read-body.ts";
import { sha256Hex } from "../../lib/secret.ts";
import { revokeAppGrants } from "../../storage/app-grants.ts";
import type { AuditLog } from "../../storage/audit-log.ts";
import { pruneOauth } from "../../storage/oauth-pruning.ts";
import type { Storage } from "../../storage/storage.ts";
import { LostRefreshRace } from "./adapter.ts";
import { type AuthorizeGate, createAuthorizeGate } from "./authorize-gate.ts";
import { normalizedAuthorizeQuery } from "./authorize-request.ts";
import { type ClientDocuments, createClientDocuments } from "./client-documents.ts";
import type { ConsentDesk } from "./consent-desk.ts";
import { createConsentDesk } from "./create-consent-desk.ts";
import type { DocumentFetch } from "./document-fetch.ts";
import { forwardedRequest, type ForwardedRequest } from "./forward-request.ts";
import { createGrantJournal, type GrantEvent, type GrantJournal } from "./grant-journal.ts";
import { allowAnyOrigin, answerError, answerJson } from "./json-answers.ts";
import { authorizationServerMetadata, protectedResourceMetadata } from "./metadata.ts";
import { COOKIES, createProvider } from "./provider.ts";
import { createRefreshReplay, type RefreshReplay } from "./refresh-replay.ts";
import { createRegistrationReader, shownRegistration } from "./registration.ts";
import { mcpResource } from "./resource.ts";
import { normalizedTokenForm } from "./token-request.ts";

export interface AuthorizationServerDeps {
  readonly storage: Storage;
  readonly audit: Pick<AuditLog, "record">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The way to clients' metadata documents and keys on the internet. */
  readonly fetchDocument: DocumentFetch;
}

export interface AuthorizationServerOptions {
  /** The public origin, without a trailing slash; nothing of a request changes it. */
  readonly issuer: string;
  /** A grant lapses when it lies unused this long. */
  readonly unusedLimitMs: number;
  readonly builtInClients: boolean;
  /** Hosts whose metadata documents are fetched; empty for any. */
  readonly clientDocumentHosts: readonly string[];
}

/** What the HTTP server knows of a request. */
export interface RequestOrigin {
  readonly address: string | undefined;
}

/** The OAuth 2.1 authorization server, and the metadata of what it protects. */
export interface AuthorizationServer {
  /** Answers `/authorize`, `/authorize/<id>`, `/token`, `/register`, `/revoke` and the well-known metadata. Never rejects. */
  handle(req: IncomingMessage, res: ServerResponse, origin: RequestOrigin): Promise<void>;
  readonly consentDesk: ConsentDesk;
  close(): Promise<void>;
}

/** A token request is a kilobyte or two; a signed client assertion the longest part. */
const MAX_FORM_BYTES = 49_152;
const FORM = "application/x-www-form-urlencoded";
const PRUNE_EVERY_MS = 600_000;
const DAY_MS = 86_400_000;
/** Hosts keep their client id and may come back with it after days; used ones never expire. */
const UNUSED_CLIENT_MS = 30 * DAY_MS;
const ENDED_GRANT_MS = 180 * DAY_MS;

/** Makes the server. Throws when the issuer is neither https nor loopback. */
export function createAuthorizationServer(deps: AuthorizationServerDeps, options: AuthorizationServerOptions): AuthorizationServer {
  return new OauthServer(deps, options);
}

class OauthServer implements AuthorizationServer {
  readonly consentDesk: ConsentDesk;
  readonly #deps: AuthorizationServerDeps;
  readonly #options: AuthorizationServerOptions;
  readonly #issuer: URL;
  readonly #callback: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
  readonly #replay: RefreshReplay;
  readonly #documents: ClientDocuments;
  readonly #journal: GrantJournal;
  readonly #readRegistration: ReturnType<typeof createRegistrationReader>;
  readonly #gate: AuthorizeGate;
  readonly #locks = new KeyedLock<string>();
  /** Answers that are to be given again, by the request that asked. */
  readonly #repeats = new WeakMap<IncomingMessage, string>();
  readonly #lostRaces = new WeakSet<IncomingMessage>();
  readonly #stopPruning: () => void;
  #pruning: Promise<unknown> = Promise.resolve();

  constructor(deps: AuthorizationServerDeps, options: AuthorizationServerOptions) {
    const { storage, clock, random, log } = deps;
    this.#deps = deps;
    this.#options = options;
    this.#issuer = checkedIssuer(options.issuer);
    this.#replay = createRefreshReplay(deps);
    this.#journal = createGrantJournal(deps.audit, () => clock.now());
    this.#gate = createAuthorizeGate(clock);
    this.#readRegistration = createRegistrationReader(clock);
    this.#documents = createClientDocuments(deps, { builtInClients: options.builtInClients, allowedHosts: options.clientDocumentHosts });
    const provider = createProvider(
      {
        storage,
        clock,
        random,
        log,
        documents: this.#documents,
        revokeGrant: (grantId) => this.#revoke(grantId),
        onUsedRefreshToken: (ctx, usedAt) => this.#repeatAnswer(ctx, usedAt),
      },
      { issuer: options.issuer, resource: mcpResource(options.issuer), unusedLimitMs: options.unusedLimitMs },
    );
    provider.on("grant.error", (ctx, error) => {
      if (error instanceof LostRefreshRace) this.#lostRaces.add(ctx.req);
    });
    provider.use((ctx, next) => this.#afterwards(ctx as KoaContextWithOIDC, next));
    const callback = provider.callback();
    this.#callback = async (req, res) => {
      await callback(req, res);
    };
    this.consentDesk = createConsentDesk({ provider, storage, clock, random, journal: this.#journal });
    this.#stopPruning = clock.every(PRUNE_EVERY_MS, () => this.#prune());
  }

  async handle(req: IncomingMessage, res: ServerResponse, origin: RequestOrigin): Promise<void> {
    try {
      await this.#route(req, res, origin);
    } catch (error) {
      this.#deps.log.error({ err: error }, "an OAuth request failed unexpectedly");
      answerError(res, 500, "server_error", "The request failed because of a fault in the gateway.");
    }
  }

  async close(): Promise<void> {
    this.#stopPruning();
    await this.#pruning;
  }

  async #route(req: IncomingMessage, res: ServerResponse, origin: RequestOrigin): Promise<void> {
    const url = req.url ?? "/";
    const [path, query] = splitAt(url, "?");
    switch (path) {
      case "/token":
      case "/revoke":
        if (isPost(req, res)) await this.#form(req, res, { path, origin });
        return;
      case "/register":
        if (isPost(req, res)) await this.#register(req, res, origin);
        return;
      case "/.well-known/oauth-authorization-server":
      case "/.well-known/oauth-authorization-server/mcp":
        if (isGet(req, res)) answerJson(res, 200, authorizationServerMetadata(this.#options.issuer));
        return;
      case "/.well-known/oauth-protected-resource":
      case "/.well-known/oauth-protected-resource/mcp":
        if (isGet(req, res)) answerJson(res, 200, protectedResourceMetadata(this.#options.issuer));
        return;
      default:
        await this.#authorize(req, res, { path, query, origin });
    }
  }

  async #authorize(req: IncomingMessage, res: ServerResponse, at: { path: string; query: string; origin: RequestOrigin }): Promise<void> {
    if (await this.#gate(req, res, { begins: at.path === "/authorize", address: at.origin.address })) return;
    const query = at.path === "/authorize" ? `?${normalizedAuthorizeQuery(at.query, this.#options.issuer).toString()}` : "";
    // Who the person is says the console's session alone: a session of the library would bring back the one before.
    await this.#forward(req, res, { url: at.path + query, address: at.origin.address, withoutCookies: [COOKIES.session] });
  }

  async #form(req: IncomingMessage, res: ServerResponse, at: { path: string; origin: RequestOrigin }): Promise<void> {
    const type = req.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
    if (type !== FORM) {
      answerError(res, 400, "invalid_request", `Send the parameters as ${FORM}.`);
      return;
    }
    const body = await readBody(req, MAX_FORM_BYTES);
    if (body.kind === "hung_up") {
      res.destroy();
      return;
    }
    if (body.kind === "too_large") {
      res.setHeader("Connection", "close");
      answerError(res, 413, "invalid_request", `The form has more than ${MAX_FORM_BYTES} bytes.`);
      return;
    }
    const form = at.path === "/token" ? normalizedTokenForm(body.text, this.#options.issuer) : new URLSearchParams(body.text);
    const forward = (): Promise<void> =>
      this.#forward(req, res, {
        url: at.path,
        address: at.origin.address,
        accept: "application/json",
        body: { type: FORM, text: form.toString() },
        withoutCookies: Object.values(COOKIES),
      });
    // Requests with one code or refresh token go one after another, so that the first has its answer before the others look.
    const secret = form.get("refresh_token") ?? form.get("code");
    await (secret === null ? forward() : this.#locks.run(sha256Hex(secret), forward));
  }

  async #register(req: IncomingMessage, res: ServerResponse, origin: RequestOrigin): Promise<void> {
    const text = await this.#readRegistration(req, res, origin.address);
    if (text === undefined) return;
    const body = { type: "application/json", text };
    await this.#forward(req, res, {
      url: "/register",
      address: origin.address,
      accept: "application/json",
      body,
      withoutCookies: Object.values(COOKIES),
    });
  }

  async #forward(req: IncomingMessage, res: ServerResponse, to: Omit<ForwardedRequest, "issuer">): Promise<void> {
    await this.#callback(forwardedRequest(req, { ...to, issuer: this.#issuer }), res);
  }

  /** Runs around the library: answers to refreshes are kept and repeated, its session's cookie is dropped, its answers are trimmed. */
  async #afterwards(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
    await next();
    dropSessionCookie(ctx);
    if (ctx.path === "/register" && ctx.status === 201) ctx.body = shownRegistration(ctx.body as Record<string, unknown>);
    if (ctx.path !== "/token") return;
    const clientId = ctx.oidc?.params?.["client_id"];
    if (ctx.oidc?.client === undefined && typeof clientId === "string" && this.#documents.isUnreachable(clientId)) {
      // A host that hears "invalid_client" throws its tokens away; this one's vendor is only out of reach.
      ctx.status = 503;
      ctx.set("Retry-After", "60");
      ctx.body = { error: "temporarily_unavailable", error_description: "the client's metadata document can't be fetched just now" };
      return;
    }
    const token = refreshTokenOf(ctx);
    if (token === undefined) return;
    if (ctx.status === 200) {
      const grantId = ctx.oidc.entities.Grant?.jti;
      if (grantId !== undefined) await this.#replay.keep(token, grantId, JSON.stringify(ctx.body));
      return;
    }
    const lost = this.#lostRaces.has(ctx.req) ? await this.#replay.find(token, this.#deps.clock.now()) : undefined;
    const repeat = lost ?? this.#repeats.get(ctx.req);
    if (repeat === undefined) return;
    ctx.status = 200;
    ctx.type = "application/json";
    ctx.body = repeat;
  }

  /** Called for a used refresh token of a live grant, once its client has proved itself. */
  async #repeatAnswer(ctx: KoaContextWithOIDC, usedAt: number): Promise<void> {
    const token = refreshTokenOf(ctx);
    const answer = token === undefined ? undefined : await this.#replay.find(token, usedAt);
    if (answer === undefined) return;
    this.#repeats.set(ctx.req, answer);
    throw new errors.InvalidGrant("the answer is given again");
  }

  async #revoke(grantId: string): Promise<void> {
    const { storage, clock, random } = this.#deps;
    const ctx = Provider.ctx;
    const because = revocationCause(ctx);
    const [grant] = await revokeAppGrants(storage, { kind: "grant", grantId }, { at: clock.now(), because });
    const requestId = ctx?.res.getHeader("x-request-id");
    if (grant === undefined) return;
    this.#journal.note(because, grant, {
      requestId: typeof requestId === "string" ? requestId : randomId(random, "req_"),
      because: "by its client",
    });
  }

  #prune(): void {
    const { storage, clock, log } = this.#deps;
    const limits = {
      now: clock.now(),
      unusedClientMs: UNUSED_CLIENT_MS,
      abandonedGrantMs: DAY_MS,
      endedGrantMs: ENDED_GRANT_MS,
      unusedGrantMs: this.#options.unusedLimitMs + ENDED_GRANT_MS,
    };
    this.#pruning = pruneOauth(storage, limits);
    background(this.#pruning, log, "letting expired OAuth rows go");
  }
}

function checkedIssuer(issuer: string): URL {
  const url = new URL(issuer);
  if (url.origin !== issuer) throw new Error("the issuer must be an origin without a trailing slash");
  if (url.protocol !== "https:" && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) {
    throw new Error("the issuer must be https unless it is a loopback address");
  }
  return url;
}

function revocationCause(ctx: KoaContextWithOIDC | undefined): GrantEvent {
  if (ctx?.oidc.route === "revocation") return "oauth.revoked";
  return ctx?.oidc.params?.["grant_type"] === "refresh_token" ? "oauth.refresh_reused" : "oauth.code_reused";
}

function refreshTokenOf(ctx: KoaContextWithOIDC): string | undefined {
  const { grant_type: grantType, refresh_token: token } = ctx.oidc?.params ?? {};
  return grantType === "refresh_token" && typeof token === "string" ? token : undefined;
}

function dropSessionCookie(ctx: KoaContextWithOIDC): void {
  const header = ctx.res.getHeader("set-cookie");
  if (header === undefined) return;
  const cookies = (Array.isArray(header) ? header : [String(header)]).filter((cookie) => !cookie.startsWith(`${COOKIES.session}=`));
  if (cookies.length === 0) ctx.res.removeHeader("set-cookie");
  else ctx.res.setHeader("set-cookie", cookies);
}

function isPost(req: IncomingMessage, res: ServerResponse): boolean {
  return takes(req, res, ["POST"]);
}

function isGet(req: IncomingMessage, res: ServerResponse): boolean {
  return takes(req, res, ["GET", "HEAD"]);
}

/** Answers a preflight and a wrong method itself, and then says false. */
function takes(req: IncomingMessage, res: ServerResponse, methods: readonly string[]): boolean {
  if (allowAnyOrigin(req, res, methods.join(", "))) return false;
  if (methods.includes(req.method ?? "")) return true;
  res.setHeader("Allow", [...methods, "OPTIONS"].join(", "));
  answerError(res, 405, "invalid_request", `Use ${methods[0] ?? "another method"}.`);
  return false;
}

function splitAt(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator);
  return index === -1 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}
