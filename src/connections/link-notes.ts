import type { LinkHealth } from "../broker/health.ts";
import { background, type Log } from "../lib/log.ts";
import { type ConnectionNotes, freezeConnection, noteConnection } from "../storage/connection-life.ts";
import type { ConnectionRow } from "../storage/connections.ts";
import type { Storage } from "../storage/storage.ts";
import { notesOf, openingFault } from "./connection-health.ts";

/** A connection that was stopped because its broker proved another mode than it was made for. */
export interface FrozenConnection {
  readonly connectionId: string;
  readonly userId: string;
  readonly label: string;
  readonly mode: string;
  readonly kind: string;
  readonly because: string;
}

export interface LinkNotesDeps {
  readonly storage: Storage;
  readonly log: Log;
  /** Told once of each freezing, by whichever process it was. */
  readonly onFrozen?: ((frozen: FrozenConnection) => void) | undefined;
}

/** Keeps what a live link teaches in its connection's row: written when it changes, one write at a time, the newest last. */
export class LinkNotes {
  readonly #deps: LinkNotesDeps;
  readonly #key: { readonly connectionId: string; readonly userId: string };
  readonly #about: Pick<FrozenConnection, "label" | "mode" | "kind">;
  #written: ConnectionNotes;
  #isFrozen: boolean;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: LinkNotesDeps, row: ConnectionRow) {
    const { ibkr_user_name, known_accounts, verified_at, last_fault } = row;
    this.#deps = deps;
    this.#key = { connectionId: row.id, userId: row.user_id };
    this.#about = { label: row.label, mode: row.mode, kind: row.kind };
    this.#written = { ibkr_user_name, known_accounts, verified_at, last_fault };
    this.#isFrozen = row.frozen_at !== null;
  }

  /** Takes in a link's health. */
  take(health: LinkHealth): void {
    const { storage, onFrozen } = this.#deps;
    if (health.state === "frozen" && !this.#isFrozen) {
      this.#isFrozen = true;
      const because = openingFault(health)?.fault.message ?? "The broker proved another kind of account.";
      this.#write(async () => {
        if (await freezeConnection(storage, this.#key, { at: health.since, because }))
          onFrozen?.({ ...this.#key, ...this.#about, because });
      });
    }
    const notes = notesOf(health, this.#written);
    if (JSON.stringify(notes) === JSON.stringify(this.#written)) return;
    this.#written = notes;
    this.#write(() => noteConnection(storage, this.#key, notes));
  }

  /** Resolves when all is written. */
  settled(): Promise<void> {
    return this.#writing;
  }

  #write(write: () => Promise<void>): void {
    const written = this.#writing.then(write);
    background(written, this.#deps.log, "noting a connection's state");
    this.#writing = written.catch(() => undefined);
  }
}
