import type { Mode } from "../broker/account.ts";
import { parseMode } from "../connections/connection-mode.ts";
import { ModeBadge } from "../pages/components/badge.tsx";
import { PlainName } from "../pages/components/plain-name.tsx";
import { listConnections } from "../storage/connections.ts";
import type { Storage } from "../storage/storage.ts";

/** A person's connection as the console names it. */
export interface NamedConnection {
  readonly id: string;
  readonly label: string;
  readonly mode: Mode;
}

/** Lists a person's connections by name, oldest first, without asking any of them. */
export async function listNamedConnections(storage: Storage, userId: string): Promise<readonly NamedConnection[]> {
  return (await listConnections(storage, userId)).map(({ id, label, mode }) => ({ id, label, mode: parseMode(mode) }));
}

/** A connection by its name, with whether its money is real; one that is gone by what is said in its place. */
export function ConnectionName({ connection, gone }: { readonly connection: NamedConnection | undefined; readonly gone: string }) {
  if (connection === undefined) return <span class="hint">{gone}</span>;
  return (
    <span class="named">
      <PlainName value={connection.label} /> <ModeBadge mode={connection.mode} />
    </span>
  );
}
