import { z } from "zod";

import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { background, type Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { type ConnectionRow, findConnection } from "../storage/connections.ts";
import type { Sealer } from "../storage/sealing.ts";
import type { Storage } from "../storage/storage.ts";
import { connectUpstream } from "../upstreams/index.ts";
import type { HostPolicy } from "../upstreams/host-policy.ts";
import type { Link, UpstreamDeps } from "../upstreams/upstream.ts";
import { parseMode } from "./connection-mode.ts";
import type { ConnectionRef, Connections, OpenConnection } from "./connections.ts";

/** Each open link holds caches and one request a minute to keep its session; a person has a handful of connections. */
const MAX_OPEN_LINKS = 200;
/** An unused link is closed after this, which frees the user's one brokerage session for TWS or the phone. */
const IDLE_MS = 30 * 60_000;
const SWEEP_EVERY_MS = 60_000;

export interface PoolDeps {
  readonly storage: Storage;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fetch: typeof fetch;
  readonly embeddedSimulator: UpstreamDeps["embeddedSimulator"];
  readonly hostPolicy: HostPolicy;
}

interface Entry {
  readonly userId: string;
  readonly link: Link;
  readonly open: OpenConnection;
  usedAt: number;
}

/** The pool of live links: one per connection, opened on first use and closed when idle. */
export function createConnections(deps: PoolDeps): Connections {
  return new Pool(deps);
}

class Pool implements Connections {
  readonly #deps: PoolDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<Entry>>();
  readonly #stopSweeping: () => void;
  #isClosed = false;

  constructor(deps: PoolDeps) {
    this.#deps = deps;
    this.#stopSweeping = deps.clock.every(SWEEP_EVERY_MS, () => background(this.#sweep(), deps.log, "closing idle connections"));
  }

  open(ref: ConnectionRef, signal: AbortSignal): Promise<OpenConnection> {
    const entry = this.#entries.get(ref.connectionId);
    if (entry === undefined || entry.userId !== ref.userId || !entry.link.isReady || this.#isClosed) return this.#open(ref, signal);
    entry.usedAt = this.#deps.clock.now();
    return Promise.resolve(entry.open);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopSweeping();
    await Promise.allSettled(this.#loading.values());
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map((entry) => entry.link.close()));
  }

  async #open(ref: ConnectionRef, signal: AbortSignal): Promise<OpenConnection> {
    if (this.#isClosed)
      throw new GatewayError("connection_not_ready", "The gateway is shutting down.", { whatToDo: "Try again in a minute." });
    signal.throwIfAborted();
    const known = this.#entries.get(ref.connectionId);
    const entry = known?.userId === ref.userId ? known : await this.#load(ref);
    entry.usedAt = this.#deps.clock.now();
    await entry.link.ready(signal);
    return entry.open;
  }

  /** One at a time per connection and owner. */
  #load(ref: ConnectionRef): Promise<Entry> {
    const key = JSON.stringify([ref.userId, ref.connectionId]);
    const loading = this.#loading.get(key) ?? this.#connect(ref).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  async #connect(ref: ConnectionRef): Promise<Entry> {
    const { storage, sealer, clock } = this.#deps;
    const row = await findConnection(storage, ref);
    if (row === undefined)
      throw new GatewayError("connection_not_ready", "This connection no longer exists.", {
        whatToDo: "Use a key of a connection that exists.",
      });
    const secrets = readSecrets(row, sealer);
    const log = this.#deps.log.child({ connection: row.id });
    const stored = { kind: row.kind, settings: JSON.parse(row.settings), secrets };
    const link = connectUpstream(stored, { ...this.#deps, log, expectedMode: parseMode(row.mode) });
    const entry: Entry = { userId: row.user_id, link, open: { connectionId: row.id, label: row.label, broker: link }, usedAt: clock.now() };
    await this.#makeRoom();
    this.#entries.set(row.id, entry);
    return entry;
  }

  async #makeRoom(): Promise<void> {
    if (this.#entries.size < MAX_OPEN_LINKS) return;
    const [oldest] = [...this.#entries].toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest !== undefined) await this.#drop(...oldest);
  }

  async #sweep(): Promise<void> {
    const now = this.#deps.clock.now();
    const idle = [...this.#entries].filter(([, entry]) => now - entry.usedAt >= IDLE_MS);
    await Promise.all(idle.map(([connectionId, entry]) => this.#drop(connectionId, entry)));
  }

  async #drop(connectionId: string, entry: Entry): Promise<void> {
    if (this.#entries.get(connectionId) === entry) this.#entries.delete(connectionId);
    await entry.link.close();
  }
}

function readSecrets(row: ConnectionRow, sealer: Sealer): Record<string, string> {
  if (row.sealed_secrets === null) return {};
  const place = { table: "connections", column: "sealed_secrets", rowId: row.id, userId: row.user_id };
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(sealer.unseal(row.sealed_secrets, place)));
  } catch (cause) {
    throw new GatewayError("connection_not_ready", "The connection's stored secrets can't be opened.", {
      whatToDo: "Set the connection up again, or give the gateway the sealing key that it had.",
      // The parser's own words could quote a secret; the sealer's never do.
      cause: cause instanceof z.ZodError || cause instanceof SyntaxError ? undefined : cause,
    });
  }
}
