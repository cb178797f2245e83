import { join } from "node:path";

import { createSite } from "./app-site.ts";
import { type BearerCheck, createBearerCheck } from "./auth/bearer.ts";
import { type ConnectionJournal, createConnectionJournal } from "./auth/connection-journal.ts";
import { type AuthorizationServer, createAuthorizationServer } from "./auth/oauth/authorization-server.ts";
import { createDocumentFetch, type DocumentFetch } from "./auth/oauth/document-fetch.ts";
import { resourceMetadataUrl } from "./auth/oauth/metadata.ts";
import { mcpResource } from "./auth/oauth/resource.ts";
import { prepareFirstSetup } from "./auth/sign-in/create-sign-in.ts";
import type { Config } from "./config.ts";
import type { Caller } from "./connections/caller.ts";
import { connectionOffers } from "./connections/connection-offers.ts";
import type { Connections } from "./connections/connections.ts";
import { createConnections } from "./connections/pool.ts";
import { toolsetOf } from "./connections/toolsets.ts";
import { createOrderNotes } from "./console/orders/order-notes.ts";
import { provideDemo } from "./demo.ts";
import { ownSimulator, startEmbeddedSimulator } from "./demo-upstream.ts";
import type { HelpTool } from "./help/help-facts.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import { createHttpServer, type HttpServer } from "./http/server.ts";
import { createUserBudgets, type UserBudgets } from "./ibkr/user-budgets.ts";
import { prepareDataFolder } from "./lib/data-folder.ts";
import type { Clock } from "./lib/clock.ts";
import { background } from "./lib/log.ts";
import type { Log } from "./lib/log.ts";
import type { Random } from "./lib/random.ts";
import { Secret } from "./lib/secret.ts";
import { version } from "./lib/version.ts";
import { createCallTool } from "./mcp/call-tool.ts";
import { createDeadlines } from "./mcp/deadlines.ts";
import type { Authenticate } from "./mcp/authentication.ts";
import type { Tool } from "./mcp/define-tool.ts";
import { createMcpEndpoint } from "./mcp/endpoint.ts";
import { createErrorLink } from "./mcp/error-links.ts";
import type { EndpointOptions } from "./mcp/endpoint.ts";
import { loadTools } from "./mcp/load-tools.ts";
import { createRegistry } from "./mcp/registry.ts";
import { pinAccount } from "./storage/api-keys.ts";
import { pinGrantAccount } from "./storage/app-grants.ts";
import type { AuditLog } from "./storage/audit-log.ts";
import { type AuditWriter, createAuditLog } from "./storage/audit-writer.ts";
import { openProcesses } from "./storage/open-processes.ts";
import { openStorage } from "./storage/open-storage.ts";
import { createSealer } from "./storage/sealing.ts";
import { loadSealingKey } from "./storage/sealing-key.ts";
import type { Storage } from "./storage/storage.ts";
import { createTrading } from "./trading/create-trading.ts";
import { createHostPolicy } from "./upstreams/host-policy.ts";
import type { UpstreamDeps } from "./upstreams/upstream.ts";

/** The world outside, so that tests can turn it: time, randomness, the log, and the network edge. */
export interface AppDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fetch: typeof fetch;
  /** The way to OAuth clients' documents on the public internet, for tests to turn elsewhere. */
  readonly fetchDocument?: DocumentFetch;
  /** In place of IBKR's own addresses, by region, for tests alone. */
  readonly ibkrBaseUrls?: UpstreamDeps["ibkrBaseUrls"];
  /** For tests of the protocol: what else to serve behind the same transport and bearer check. */
  readonly extend?: EndpointOptions["extend"];
}

/** A gateway that listens. */
export interface App {
  /** Where it listens, reachable from this machine. */
  readonly url: string;
  /** The address that hosts and browsers use. */
  readonly publicUrl: string;
  readonly demo: { readonly kind: "absent" | "ready" } | { readonly kind: "created"; readonly key: Secret };
  /** Where the first person makes their account; the link is known on the first start only. */
  readonly setup: { readonly kind: "done" | "waiting" } | { readonly kind: "link"; readonly url: Secret };
  /** Finishes running calls, writes what is queued, ends sessions and closes everything. */
  close(): Promise<void>;
}

/** COMPOSITION ROOT: wires every part and listens. Rejects, with everything closed again, when a part can't start. */
export async function createApp(config: Config, deps: AppDeps): Promise<App> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const close of closers.splice(0).toReversed()) await close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, "not everything could be closed in order");
  };
  try {
    return await compose(config, deps, { closers, closeAll });
  } catch (error) {
    await closeAll().catch((closing: unknown) => deps.log.error({ err: closing }, "closing after a failed start"));
    throw error;
  }
}

interface Lifetime {
  /** What has been opened so far, in that order. */
  readonly closers: (() => Promise<void>)[];
  readonly closeAll: () => Promise<void>;
}

/** Keeps a part to be closed with the gateway, and answers it. */
export type Opened = <T extends { close(): void | Promise<void> }>(part: T) => T;

async function compose(config: Config, deps: AppDeps, { closers, closeAll }: Lifetime): Promise<App> {
  const { clock, random, log } = deps;
  const opened: Opened = (part) => {
    closers.push(async () => part.close());
    return part;
  };
  const base = await openBase(config, deps, opened);
  const { storage, embeddedSimulator, hostPolicy } = base;
  const hasDemo = config.demo && embeddedSimulator !== undefined;
  const demoKey = hasDemo ? await provideDemo({ storage, clock, random }) : undefined;
  const links = openLinks(base, deps, opened);
  const { audit, metrics, connections, trading } = links;
  const issuer = (): string => server.url;
  const { mcp, registry } = serveProtocol({ ...base, ...links, config, deps, opened, issuer });
  const oauth = authorizationServerOf(config, { ...deps, storage, audit, issuer, opened });
  const site = createSite(config, {
    ...deps,
    ...base,
    ...links,
    oauth,
    publicUrl: issuer,
    tools: registry.all.map(({ tool }) => helpToolOf(tool)),
    offers: connectionOffers({ hasSimulator: embeddedSimulator !== undefined, hostPolicy }),
  });
  const checkDatabase = () => storage.db.selectFrom("users").select("id").limit(1).execute();
  const server: HttpServer = opened(
    createHttpServer(
      { mcp, oauth, site, metrics, healthChecks: { database: checkDatabase }, clock, random, log, version: version() },
      { ...config, refuseForwarded: config.demo },
    ),
  );
  const publicUrl = await server.listen();
  oauth();
  const setup = await prepareFirstSetup({ storage, clock, random });
  background(trading.reconcile(), log, "settling open orders");
  background(connections.warmUp(), log, "opening connections that are kept warm");
  return {
    url: server.boundUrl,
    publicUrl,
    demo: demoKey !== undefined ? { kind: "created", key: demoKey } : { kind: config.demo ? "ready" : "absent" },
    setup: setup.kind === "link" ? { kind: "link", url: new Secret(publicUrl + setup.path) } : setup,
    close: closeAll,
  };
}

/** Opens the data folder, the sealing key, the database and the own simulator, on which every part works. */
export async function openBase(config: Config, { clock, random, log }: AppDeps, opened: Opened) {
  prepareDataFolder(config.dataDir);
  const sealer = createSealer(await loadSealingKey({ setting: config.sealingKey, file: join(config.dataDir, "sealing.key"), random }));
  const storage = opened(await openStorage({ ...databasePlace(config), log, clock }));
  const processes = opened(await openProcesses({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, random, log }));
  const simulator = config.simulator ? opened(await startEmbeddedSimulator(config, { clock, random, log })) : undefined;
  const embeddedSimulator = ownSimulator(config, simulator);
  const hostPolicy = createHostPolicy({ hosts: config.gatewayHosts, isLocal: config.isLocal });
  return { sealer, storage, processes, embeddedSimulator, hostPolicy };
}

type Base = Awaited<ReturnType<typeof openBase>>;

/** The live links to brokers, what trades over them, and what is kept on record and counted of both. */
function openLinks(base: Base, deps: AppDeps, opened: Opened) {
  const { storage, processes } = base;
  const { clock, random, log } = deps;
  const audit = opened(createAuditLog({ storage, clock, log }));
  const journal = createConnectionJournal({ audit, clock, random });
  const metrics = createMetrics();
  const budgets = createUserBudgets({ clock, log, observer: metrics.upstream });
  const connections = opened(connectionsOf(base, deps, { journal, budgets }));
  showFigures(metrics, { audit, budgets, connections });
  const notes = createOrderNotes({ storage, journal, log });
  const trading = opened(createTrading({ storage, processes, connections, clock, random, log, ...notes }));
  return { audit, journal, metrics, connections, trading };
}

/** Creates the pool of live links over a base. */
export function connectionsOf(
  { storage, sealer, embeddedSimulator, hostPolicy }: Base,
  { clock, random, log, fetch: edge, ibkrBaseUrls }: AppDeps,
  { journal, budgets }: { readonly journal: ConnectionJournal; readonly budgets: UserBudgets },
): Connections {
  return createConnections({
    storage,
    sealer,
    clock,
    random,
    log,
    fetch: edge,
    embeddedSimulator,
    hostPolicy,
    budgets,
    ibkrBaseUrls,
    onFrozen: ({ because, ...connection }) => journal.noteByGateway("connection.frozen", connection, { because }),
  });
}

interface ProtocolParts extends Pick<Base, "storage">, ReturnType<typeof openLinks> {
  readonly config: Config;
  readonly deps: AppDeps;
  readonly opened: Opened;
  readonly issuer: () => string;
}

/** `/mcp`: who asks, which tools there are, and the one wrapper of their calls. */
function serveProtocol({ storage, audit, metrics, connections, trading, config, deps, opened, issuer }: ProtocolParts) {
  const { clock, log } = deps;
  const bearer = opened(createBearerCheck({ storage, clock, log, resource: () => mcpResource(issuer()) }));
  const serverInfo = { name: "ibkr-gateway", title: "IBKR Gateway", version: version() };
  const registry = createRegistry(loadTools(), serverInfo);
  const callTool = createCallTool({
    connections,
    trading,
    audit,
    metrics,
    clock,
    log,
    deadlines: opened(createDeadlines(clock)),
    serverInfo,
    errorLink: createErrorLink(issuer),
    pageUrl: (path) => issuer() + path,
    pinAccount: pinAccountIn(storage),
  });
  const mcp = createMcpEndpoint(
    { registry, callTool, authenticate: authenticateBy(bearer, config), audit, metrics, clock, log },
    { extend: deps.extend, resourceMetadataUrl: () => resourceMetadataUrl(issuer()) },
  );
  return { mcp, registry };
}

function helpToolOf({ name, title, description, scope }: Tool): HelpTool {
  return { name, title, description, scope, toolset: toolsetOf(name) };
}

interface Figured {
  readonly audit: AuditWriter;
  readonly budgets: UserBudgets;
  readonly connections: Connections;
}

/** Shows what waits (audit rows, requests to brokers), and how links and their streams are. */
function showFigures(metrics: Metrics, { audit, budgets, connections }: Figured): void {
  metrics.gauge("gateway_audit_queue", "Audit rows waiting to be written", () => audit.queued);
  metrics.gauge("gateway_audit_lost", "Audit rows that could not be written at all", () => audit.lost);
  metrics.gauges({ name: "gateway_upstream_queue", help: "Requests waiting for their turn at a broker", label: "priority" }, () => {
    const { queuedUrgent, queuedReads } = budgets.figures();
    return { urgent: queuedUrgent, read: queuedReads };
  });
  metrics.gauge("gateway_upstream_in_flight", "Requests to brokers that are not answered yet", () => budgets.figures().inFlight);
  metrics.gauge("gateway_upstream_users", "Users at brokers with a live link", () => budgets.figures().users);
  metrics.gauges({ name: "gateway_links", help: "Live links to brokers, by state", label: "state" }, () => connections.linkStates());
  metrics.upstream.showStreams(() => connections.streamTotals());
}

/** Who a bearer token stands for; the demo's keys are refused where the demo may not be. */
function authenticateBy(bearer: BearerCheck, config: Config): Authenticate {
  return async (authorization, origin) => {
    const result = await bearer.check(authorization, origin);
    if (result.kind === "refused") return { kind: "refused", reason: result.reason === "missing" ? "missing" : "invalid" };
    return result.isDemo && !config.demo ? { kind: "refused", reason: "invalid" } : { kind: "caller", caller: result.caller };
  };
}

/** Remembers a caller's current account with its key or grant. */
function pinAccountIn(storage: Storage) {
  return async (caller: Caller, accountId: string | null): Promise<void> => {
    if (caller.source === "oauth") await pinGrantAccount(storage, { grantId: caller.id, userId: caller.userId }, accountId);
    else await pinAccount(storage, { keyId: caller.id, userId: caller.userId }, accountId);
  };
}

interface AuthorizationParts extends AppDeps {
  readonly storage: Storage;
  readonly audit: AuditLog;
  readonly issuer: () => string;
  readonly opened: Opened;
}

/** The authorization server, made at its first use: its issuer is known only once the gateway listens. */
function authorizationServerOf(config: Config, parts: AuthorizationParts): () => AuthorizationServer {
  const { storage, audit, clock, random, log } = parts;
  let made: AuthorizationServer | undefined;
  return () =>
    (made ??= parts.opened(
      createAuthorizationServer(
        { storage, audit, clock, random, log, fetchDocument: parts.fetchDocument ?? createDocumentFetch() },
        {
          issuer: parts.issuer(),
          unusedLimitMs: config.grantUnusedDays * 86_400_000,
          builtInClients: config.builtInClients,
          clientDocumentHosts: config.clientDocumentHosts,
        },
      ),
    ));
}

/** Where the database is: the one that is set, or the SQLite file in the data folder. */
export function databasePlace(config: Config): { databaseUrl: Secret } | { file: string } {
  return config.databaseUrl === undefined ? { file: join(config.dataDir, "gateway.sqlite") } : { databaseUrl: config.databaseUrl };
}
