import { z } from "zod";

import type { LinkHealth, SessionStateName } from "../broker/health.ts";
import { GatewayError } from "../lib/errors.ts";
import { background } from "../lib/log.ts";
import {
  type ConnectionSwitches,
  listWarmConnections,
  readConnectionSwitches,
  setConnectionPaused,
  setConnectionWarm,
  userNamesOfOthers,
} from "../storage/connection-life.ts";
import { type ConnectionRow, findConnection, listConnections } from "../storage/connections.ts";
import type { Sealer } from "../storage/sealing.ts";
import type { Storage } from "../storage/storage.ts";
import { connectUpstream, upstreams } from "../upstreams/index.ts";
import type { Link, UpstreamDeps } from "../upstreams/upstream.ts";
import { connectionHealth, untriedLink } from "./connection-health.ts";
import { parseMode } from "./connection-mode.ts";
import type { ConnectionHealth, ConnectionRef, Connections, ConnectionTest, OpenConnection } from "./connections.ts";
import { LinkNotes, type LinkNotesDeps } from "./link-notes.ts";
import { StreamSums, type StreamTotals } from "./stream-totals.ts";
import { testLink } from "./test-link.ts";

/** Each open link holds caches and one request a minute to keep its session; a person has a handful of connections. */
const MAX_OPEN_LINKS = 200;
/** An unused link is closed after this, which frees the user's one brokerage session for TWS or the phone. */
const IDLE_MS = 30 * 60_000;
const SWEEP_EVERY_MS = 60_000;
/** Sessions that are kept warm are opened so many at a time: a login costs some milliseconds of computing. */
const WARMING_AT_ONCE = 4;
const VOUCHED_KINDS = upstreams.filter(({ vouchesForUserName }) => vouchesForUserName === true).map(({ kind }) => kind);

export interface PoolDeps extends Omit<UpstreamDeps, "expectedMode">, Pick<LinkNotesDeps, "onFrozen"> {
  readonly storage: Storage;
  readonly sealer: Sealer;
  /** Most links that are open at a time, where it isn't the usual number. */
  readonly maxOpenLinks?: number;
}

interface Entry {
  readonly userId: string;
  readonly link: Link;
  readonly notes: LinkNotes;
  readonly open: OpenConnection;
  /** As it was when the link was made: other settings or secrets need another link. */
  readonly row: ConnectionRow;
  isWarm: boolean;
  usedAt: number;
}

/** The pool of live links: one per connection, opened on first use and closed when idle unless it is kept warm. */
export function createConnections(deps: PoolDeps): Connections {
  return new Pool(deps);
}

class Pool implements Connections {
  readonly #deps: PoolDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<Entry>>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #streams = new StreamSums();
  readonly #stopSweeping: () => void;
  readonly #ended = new AbortController();

  constructor(deps: PoolDeps) {
    this.#deps = deps;
    this.#stopSweeping = deps.clock.every(SWEEP_EVERY_MS, () => background(this.#sweep(), deps.log, "looking after connections"));
  }

  open(ref: ConnectionRef, signal: AbortSignal): Promise<OpenConnection> {
    const entry = this.#entries.get(ref.connectionId);
    if (entry === undefined || entry.userId !== ref.userId || !entry.link.isReady || this.#isClosed) return this.#open(ref, signal);
    entry.usedAt = this.#deps.clock.now();
    return Promise.resolve(entry.open);
  }

  async health(ref: ConnectionRef): Promise<ConnectionHealth | undefined> {
    const all = await this.healthOfAll(ref.userId);
    return all.find(({ connectionId }) => connectionId === ref.connectionId);
  }

  async healthOfAll(userId: string): Promise<readonly ConnectionHealth[]> {
    const { storage } = this.#deps;
    const rows = await listConnections(storage, userId);
    const lives = rows.map((row) => this.#liveHealth(row));
    const names = rows.map((row, index) =>
      row.mode === "simulated" ? undefined : (lives[index]?.userName ?? row.ibkr_user_name ?? undefined),
    );
    // Asked with a name that anybody may claim, it would tell who else is a customer here.
    const proven = names.map((name, index) => (VOUCHED_KINDS.includes(rows[index]?.kind ?? "") ? name : undefined));
    const asked = [...new Set(proven.filter((name) => name !== undefined))];
    const foreign = await userNamesOfOthers(storage, { userId, names: asked, kinds: VOUCHED_KINDS });
    return rows.map((row, index) => {
      const name = names[index];
      const sharesUserNameWith = rows
        .filter((_, other) => other !== index && name !== undefined && names[other] === name)
        .map(({ label }) => label);
      return connectionHealth(row, lives[index], { sharesUserNameWith, sharedWithOthers: foreign.has(proven[index] ?? "") });
    });
  }

  async test(ref: ConnectionRef, { signal, onProgress }: ConnectionTest): Promise<LinkHealth> {
    let entry: Entry;
    try {
      entry = await this.#entryFor(ref);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return untriedLink(error, error.code === "connection_not_ready" ? "oauth_consumer" : "brokerage_session", this.#deps.clock.now());
    }
    const stop = entry.link.onHealth(onProgress);
    try {
      await testLink(entry.link, signal, this.#deps);
      return entry.link.health();
    } finally {
      stop();
    }
  }

  async takeOver(ref: ConnectionRef, signal: AbortSignal): Promise<LinkHealth> {
    const { link } = await this.#entryFor(ref);
    await link.takeOver(signal);
    return link.health();
  }

  async pause(ref: ConnectionRef): Promise<void> {
    await setConnectionPaused(this.#deps.storage, ref, this.#deps.clock.now());
    await this.#forget(ref);
  }

  async resume(ref: ConnectionRef): Promise<void> {
    await setConnectionPaused(this.#deps.storage, ref, null);
    this.#tell(ref.userId);
  }

  async setKeepWarm(ref: ConnectionRef, on: boolean): Promise<void> {
    const isThere = await setConnectionWarm(this.#deps.storage, ref, on);
    const entry = this.#entries.get(ref.connectionId);
    if (entry?.userId === ref.userId) entry.isWarm = on;
    if (isThere && on) background(this.#warm(ref), this.#deps.log, "keeping a connection warm");
    this.#tell(ref.userId);
  }

  async forget(connectionId: string): Promise<void> {
    // One that is being connected right now was read from the former row.
    await Promise.allSettled([...this.#loading].filter(([key]) => isOf(key, { connectionId })).map(([, loading]) => loading));
    const entry = this.#entries.get(connectionId);
    if (entry === undefined) return;
    await this.#drop(connectionId, entry);
    this.#tell(entry.userId);
  }

  async forgetUser(userId: string): Promise<void> {
    await Promise.allSettled([...this.#loading].filter(([key]) => isOf(key, { userId })).map(([, loading]) => loading));
    const own = [...this.#entries].filter(([, entry]) => entry.userId === userId);
    await Promise.all(own.map(([connectionId, entry]) => this.#drop(connectionId, entry)));
    this.#tell(userId);
  }

  onChange(userId: string, listener: () => void): () => void {
    const own = this.#listeners.get(userId) ?? new Set();
    this.#listeners.set(userId, own.add(listener));
    return () => {
      own.delete(listener);
      if (own.size === 0 && this.#listeners.get(userId) === own) this.#listeners.delete(userId);
    };
  }

  async warmUp(): Promise<void> {
    const closed = (await listWarmConnections(this.#deps.storage)).filter(({ connectionId }) => !this.#entries.has(connectionId));
    // One that took the room of another would lose it to that again within a minute: a login for nothing, for ever.
    const room = Math.max(0, this.#maxOpenLinks - this.#entries.size - this.#loading.size);
    if (closed.length > room) this.#deps.log.warn({ waiting: closed.length - room }, "more connections are kept warm than may be open");
    const wanted = closed.slice(0, room);
    const rest = wanted.values();
    const work = async (): Promise<void> => {
      for (const ref of rest) await this.#warm(ref);
    };
    await Promise.all(Array.from({ length: WARMING_AT_ONCE }, work));
  }

  linkStates(): Readonly<Record<SessionStateName, number>> {
    const counts = { closed: 0, opening: 0, established: 0, backing_off: 0, competing: 0, logged_out: 0, frozen: 0 };
    for (const { link } of this.#entries.values()) counts[link.health().state] += 1;
    return counts;
  }

  streamTotals(): StreamTotals {
    return this.#streams.total([...this.#entries.values()].map(({ link }) => link));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#ended.abort(shuttingDown());
    this.#stopSweeping();
    await Promise.allSettled(this.#loading.values());
    await Promise.all([...this.#entries].map(([connectionId, entry]) => this.#drop(connectionId, entry)));
  }

  get #maxOpenLinks(): number {
    return this.#deps.maxOpenLinks ?? MAX_OPEN_LINKS;
  }

  get #isClosed(): boolean {
    return this.#ended.signal.aborted;
  }

  async #open(ref: ConnectionRef, signal: AbortSignal): Promise<OpenConnection> {
    signal.throwIfAborted();
    const entry = await this.#entryFor(ref);
    await entry.link.ready(signal);
    return entry.open;
  }

  async #entryFor(ref: ConnectionRef): Promise<Entry> {
    if (this.#isClosed) throw shuttingDown();
    const known = this.#entries.get(ref.connectionId);
    const entry = known?.userId === ref.userId ? known : await this.#load(ref);
    entry.usedAt = this.#deps.clock.now();
    return entry;
  }

  /** One at a time per connection and owner. */
  #load(ref: ConnectionRef): Promise<Entry> {
    const key = JSON.stringify([ref.userId, ref.connectionId]);
    const loading = this.#loading.get(key) ?? this.#connect(ref).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  async #connect(ref: ConnectionRef): Promise<Entry> {
    const { storage, sealer, clock, onFrozen } = this.#deps;
    const row = await findConnection(storage, ref);
    if (row === undefined)
      throw new GatewayError("connection_not_ready", "This connection no longer exists.", {
        whatToDo: "Use a key of a connection that exists.",
      });
    refuseStopped(row);
    const secrets = readSecrets(row, sealer);
    const log = this.#deps.log.child({ connection: row.id });
    const stored = { kind: row.kind, settings: JSON.parse(row.settings), secrets };
    const budgets = this.#deps.budgets?.ofOwner(row.user_id);
    const link = connectUpstream(stored, { ...this.#deps, budgets, log, expectedMode: parseMode(row.mode) });
    const notes = new LinkNotes({ storage, log, onFrozen }, row);
    link.onHealth((health) => {
      notes.take(health);
      this.#tell(row.user_id);
    });
    const open = { connectionId: row.id, label: row.label, broker: link };
    const entry: Entry = { userId: row.user_id, link, notes, open, row, isWarm: row.keep_warm === 1, usedAt: clock.now() };
    await this.#makeRoom();
    this.#entries.set(row.id, entry);
    return entry;
  }

  /** Opens a session that is kept warm; what can't be opened now is tried again by the session, or with the next sweep. */
  async #warm(ref: ConnectionRef): Promise<void> {
    try {
      if (!this.#isClosed) await this.open(ref, this.#ended.signal);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#deps.log.info({ connection: ref.connectionId, code: error.code }, "a connection that is kept warm is not open");
    }
  }

  /** Those that nobody asked to keep warm go first. */
  async #makeRoom(): Promise<void> {
    if (this.#entries.size < this.#maxOpenLinks) return;
    const [first] = [...this.#entries].toSorted(([, a], [, b]) => Number(a.isWarm) - Number(b.isWarm) || a.usedAt - b.usedAt);
    if (first !== undefined) await this.#drop(...first);
  }

  /** Closes what is idle or was changed by another process, and opens what is kept warm. */
  async #sweep(): Promise<void> {
    const now = this.#deps.clock.now();
    const switches = await readConnectionSwitches(this.#deps.storage, [...this.#entries.keys()]);
    const byId = new Map(switches.map((row) => [row.id, row]));
    const over = [...this.#entries].filter(([connectionId, entry]) => {
      const row = byId.get(connectionId);
      entry.isWarm = row?.keep_warm === 1;
      return isOver(entry, row) || (!entry.isWarm && now - entry.usedAt >= IDLE_MS);
    });
    await Promise.all(over.map(([connectionId, entry]) => this.#drop(connectionId, entry)));
    for (const userId of new Set(over.map(([, entry]) => entry.userId))) this.#tell(userId);
    await this.warmUp();
  }

  async #forget({ connectionId, userId }: ConnectionRef): Promise<void> {
    if (this.#entries.get(connectionId)?.userId === userId || this.#loading.size > 0) await this.forget(connectionId);
    this.#tell(userId);
  }

  async #drop(connectionId: string, entry: Entry): Promise<void> {
    // Once only: two may drop the same link.
    if (this.#entries.get(connectionId) === entry) {
      this.#entries.delete(connectionId);
      this.#streams.keep(entry.link);
    }
    await entry.link.close();
    await entry.notes.settled();
  }

  #liveHealth(row: ConnectionRow): LinkHealth | undefined {
    const entry = this.#entries.get(row.id);
    return entry?.userId === row.user_id ? entry.link.health() : undefined;
  }

  #tell(userId: string): void {
    for (const listener of this.#listeners.get(userId) ?? []) listener();
  }
}

/** True for a link that must not go on: its row is gone, paused, frozen, or says something else than when it was made. */
function isOver({ row: before, link }: Entry, row: ConnectionSwitches | undefined): boolean {
  if (row === undefined || row.user_id !== before.user_id || row.paused_at !== null) return true;
  if (row.frozen_at !== null) return link.health().state !== "frozen";
  return row.settings !== before.settings || row.sealed_secrets !== before.sealed_secrets || row.label !== before.label;
}

function isOf(key: string, wanted: Partial<ConnectionRef>): boolean {
  const [userId, connectionId] = z.tuple([z.string(), z.string()]).parse(JSON.parse(key));
  return (wanted.userId ?? userId) === userId && (wanted.connectionId ?? connectionId) === connectionId;
}

function shuttingDown(): GatewayError {
  return new GatewayError("connection_not_ready", "The gateway is shutting down.", { whatToDo: "Try again in a minute." });
}

function refuseStopped(row: ConnectionRow): void {
  if (row.frozen_at !== null)
    throw new GatewayError("connection_frozen", row.frozen_because ?? "The connection is frozen.", {
      whatToDo: "Nothing is sent any more. Its owner has to set the connection up anew, with credentials of the right kind.",
    });
  if (row.paused_at !== null)
    throw new GatewayError("connection_paused", "The connection's owner paused it.", {
      whatToDo: "Its owner can resume it in the console.",
    });
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
