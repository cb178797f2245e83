import type { DatabaseSync } from "node:sqlite";

import { isRecord, parseLossless } from "../../lib/json.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sim_document (
    kind TEXT NOT NULL, owner TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, owner, id)
  ) STRICT;
`;

/** Documents of one kind and owner; more are refused. */
const MAX_DOCUMENTS = 500;

/** What a user keeps at IBKR besides orders: alerts, watchlists, settings. */
export type DocumentKind = "alert" | "watchlist" | "fyi_setting" | "fyi_device" | "fyi_read";

/** A small object under a number. */
export interface StoredDocument {
  readonly id: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Small objects by kind and owner that outlive a restart. */
export interface Documents {
  /** By id, lowest first. */
  list(kind: DocumentKind, owner: string): readonly StoredDocument[];
  get(kind: DocumentKind, owner: string, id: number): StoredDocument | undefined;
  /** Writes or overwrites; false when there are too many. */
  put(kind: DocumentKind, owner: string, document: StoredDocument): boolean;
  /** Answers whether there was one. */
  remove(kind: DocumentKind, owner: string, id: number): boolean;
  /** A number that no document of the kind has had, whoever owned it, from `first` on. */
  nextId(kind: DocumentKind, first: number): number;
}

/** Opens the documents of a store. */
export function openDocuments(store: DatabaseSync): Documents {
  store.exec(SCHEMA);
  const all = store.prepare("SELECT id, body FROM sim_document WHERE kind = ? AND owner = ? ORDER BY id");
  const one = store.prepare("SELECT id, body FROM sim_document WHERE kind = ? AND owner = ? AND id = ?");
  const write = store.prepare("INSERT OR REPLACE INTO sim_document VALUES (?, ?, ?, ?)");
  const erase = store.prepare("DELETE FROM sim_document WHERE kind = ? AND owner = ? AND id = ?");
  const highest = store.prepare("SELECT max(id) AS highest FROM sim_document WHERE kind = ?");
  const used = new Map<DocumentKind, number>();
  const documentOf = (row: Record<string, unknown>): StoredDocument => {
    const body = parseLossless(String(row["body"]));
    return { id: Number(row["id"]), body: isRecord(body) ? body : {} };
  };
  const get: Documents["get"] = (kind, owner, id) => {
    const row = one.get(kind, owner, id);
    return row === undefined ? undefined : documentOf(row);
  };
  const list: Documents["list"] = (kind, owner) => all.all(kind, owner).map(documentOf);
  return {
    list,
    get,
    put: (kind, owner, { id, body }) => {
      if (get(kind, owner, id) === undefined && list(kind, owner).length >= MAX_DOCUMENTS) return false;
      write.run(kind, owner, id, JSON.stringify(body));
      return true;
    },
    remove: (kind, owner, id) => erase.run(kind, owner, id).changes > 0,
    nextId: (kind, first) => {
      const id = Math.max(first, Number(highest.get(kind)?.["highest"] ?? 0) + 1, (used.get(kind) ?? 0) + 1);
      used.set(kind, id);
      return id;
    },
  };
}
